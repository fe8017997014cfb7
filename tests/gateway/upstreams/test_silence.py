import asyncio
from typing import Any, cast

import pytest

from gateway.errors import UpstreamStalled
from gateway.upstreams.silence import Silence


class Content:
    """Stands in for the reader whose silence is watched."""

    def __init__(self) -> None:
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def set_exception(self, error: BaseException) -> None:
        self.failed.set_result(error)


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Any]] = []
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)
        monkeypatch.setattr(asyncio.get_running_loop(), "call_at", self.call_at)

    def call_at(self, when: float, look: Any) -> asyncio.TimerHandle:
        self.timers.append((when, look))
        return cast(asyncio.TimerHandle, self)

    def cancel(self) -> None:
        self.timers.clear()

    def pass_to(self, now: float) -> None:
        """Moves time on; what is due is called."""
        self.now = now
        due, self.timers = [t for t in self.timers if t[0] <= now], [t for t in self.timers if t[0] > now]
        for _, look in due:
            look()


async def test_a_read_that_waits_too_long_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    content = Content()
    with monkeypatch.context() as patch:
        clock = Clock(patch)
        silence = Silence("prov", content.set_exception, 5)
        silence.begin()
        clock.pass_to(104.9)
        assert not content.failed.done()
        clock.pass_to(105.0)
    assert isinstance(content.failed.result(), UpstreamStalled)
    assert "prov sent nothing for 5 s" in str(content.failed.result())


async def test_each_read_has_its_own_time_and_there_is_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    content = Content()
    with monkeypatch.context() as patch:
        clock = Clock(patch)
        silence = Silence("prov", content.set_exception, 5)
        for second in range(100, 130):
            clock.pass_to(second)
            silence.begin()
            assert len(clock.timers) == 1
            silence.end()
        silence.begin()
        clock.pass_to(133)
        assert not content.failed.done()
        clock.pass_to(135)
    assert content.failed.done()


async def test_a_reader_that_does_not_read_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    content = Content()
    with monkeypatch.context() as patch:
        clock = Clock(patch)
        silence = Silence("prov", content.set_exception, 5)
        silence.begin()
        silence.end()
        clock.pass_to(1000)
        silence.begin()
        clock.pass_to(1004)
        assert not content.failed.done()
        silence.close()
        clock.pass_to(2000)
    assert not content.failed.done()
