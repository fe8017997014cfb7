import asyncio
from time import monotonic
from typing import Any

import pytest

from gateway import watch
from gateway.watch import KEEPALIVE_EVERY, SLOWEST_READER, ClientLeft, Send, Watch, WatchedAnswer


class Socket:
    """An ASGI `send` that can be stuck."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, message: Any) -> None:
        await self.open.wait()
        self.sent.append(message["body"])


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def _answer(socket: Send, keepalive: bytes = b"ping") -> tuple[WatchedAnswer, asyncio.Task[None]]:
    async def forever() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(forever())
    return WatchedAnswer(socket, keepalive, task), task


async def test_a_silent_answer_keeps_its_client_awake() -> None:
    socket = Socket()
    answer, task = _answer(socket)
    now = monotonic()
    answer.tick(now + KEEPALIVE_EVERY - 1)
    await _settle()
    assert socket.sent == []
    answer.tick(now + KEEPALIVE_EVERY)
    await _settle()
    assert socket.sent == [b"ping"]
    task.cancel()


async def test_an_answer_that_nothing_can_hold_gets_no_sign_of_ours() -> None:
    socket = Socket()
    answer, task = _answer(socket, keepalive=b"")
    answer.tick(monotonic() + 1000)
    await _settle()
    assert socket.sent == []
    task.cancel()


async def test_a_client_that_stopped_reading_is_cut_off() -> None:
    socket = Socket()
    answer, task = _answer(socket)
    socket.open.clear()
    sending = asyncio.create_task(answer.send(b"data"))
    await _settle()
    now = monotonic()
    answer.tick(now + SLOWEST_READER - 1)
    assert not answer.cut_off
    answer.tick(now + SLOWEST_READER + 1)
    await _settle()
    assert answer.cut_off
    assert task.cancelled()
    sending.cancel()


async def test_a_server_that_says_by_an_error_that_the_client_has_gone_is_understood() -> None:
    async def broken(message: Any) -> None:
        raise BrokenPipeError

    answer, task = _answer(broken)
    with pytest.raises(ClientLeft):
        await answer.send(b"data")
    task.cancel()


async def test_no_sign_is_sent_between_the_halves_of_a_send() -> None:
    socket = Socket()
    answer, task = _answer(socket)
    socket.open.clear()
    sending = asyncio.create_task(answer.send(b"data"))
    await _settle()
    answer.tick(monotonic() + KEEPALIVE_EVERY + 1)
    socket.open.set()
    await sending
    await _settle()
    assert socket.sent == [b"data"]
    task.cancel()


async def test_a_client_that_has_gone_does_not_break_the_ticker() -> None:
    async def broken(message: Any) -> None:
        raise OSError("gone")

    answer, task = _answer(Socket())
    answer._send = broken
    answer.tick(monotonic() + KEEPALIVE_EVERY)
    await _settle()
    task.cancel()


async def test_one_ticker_serves_all_answers_and_ends_with_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_TICK", 0)
    monkeypatch.setattr(watch, "KEEPALIVE_EVERY", 0)
    sockets = [Socket(), Socket()]
    watched = Watch()
    answers = [_answer(socket) for socket in sockets]
    for answer, _ in answers:
        watched.add(answer)
    assert len(watched) == 2
    while not all(socket.sent for socket in sockets):  # noqa: ASYNC110 (the ticker has no event to wait for)
        await asyncio.sleep(0)
    for answer, task in answers:
        watched.discard(answer)
        task.cancel()
    ticker = watched._ticker
    assert ticker is not None
    await ticker
