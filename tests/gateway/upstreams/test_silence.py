import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from aiohttp import web

from gateway.errors import UpstreamStalled
from gateway.upstreams import native
from gateway.upstreams.base import Outgoing
from gateway.upstreams.native import NativeUpstream, Timeouts
from gateway.upstreams.silence import Silence
from tests.gateway.upstreams.conftest import Serve


class Content:
    """Stands in for the reader whose silence is watched."""

    def __init__(self) -> None:
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def set_exception(self, error: BaseException) -> None:
        self.failed.set_result(error)


class Clock:
    """Stands in for the loop that Silence asks for the time."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Any]] = []

    def time(self) -> float:
        return self.now

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


def played(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The running loop's clock, from now on."""
    clock = Clock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", clock.time)
    monkeypatch.setattr(asyncio.get_running_loop(), "call_at", clock.call_at)
    return clock


async def test_a_read_that_waits_too_long_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    content = Content()
    with monkeypatch.context() as patch:
        clock = played(patch)
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
        clock = played(patch)
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
        clock = played(patch)
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


class SlowReads(Silence):
    """By its clock each read waits for three seconds."""

    def __init__(self, provider: str, fail: Callable[[Exception], None], limit: float) -> None:
        super().__init__(provider, fail, limit)
        self._clock = Clock()
        self._loop = cast(asyncio.AbstractEventLoop, self._clock)

    def begin(self) -> None:
        super().begin()
        self._clock.pass_to(self._clock.now + 3)


async def test_a_stream_longer_than_its_idle_timeout_is_no_silence(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "Silence", SlowReads)
    wanted = asyncio.Semaphore(0)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(5):
            await wanted.acquire()
            await response.write(b"word")
        return response

    async with serve(handle) as url:
        there = NativeUpstream("prov", "anthropic", url, timeouts=Timeouts(idle=5))
        async with there.send(Outgoing("POST", "/messages", [], b"{}", True)) as answer:
            chunks = answer.chunks()
            for _ in range(5):
                wanted.release()
                assert await anext(chunks) == b"word"
            await chunks.aclose()
        await there.close()
