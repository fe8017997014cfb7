"""The slim handler, in this process against a client that is played, and against real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil
import pytest
from django.http import HttpResponse, HttpResponseBase

from gateway import asgi, watch
from gateway.api import CallResponse
from gateway.asgi import SlimHandler
from gateway.calls import Head, Reply
from tests.gateway.running import (
    ANTHROPIC,
    EVENT_STREAM,
    START,
    STOP,
    Exchange,
    House,
    ask,
    eventually,
    frame,
    provider,
    secret,
    text,
)


class Played:
    """A client: what it sends, whether it leaves, and what it has got."""

    def __init__(self, *body: bytes, path: str = "/v1/messages", method: str = "POST") -> None:
        self.scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [], "scheme": "http", "server": ("127.0.0.1", 80), "http_version": "1.1",
        }  # fmt: skip
        parts = body or (b"",)
        self.left = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self.got: list[dict[str, Any]] = []
        self._coming = [
            {"type": "http.request", "body": part, "more_body": place < len(parts) - 1}
            for place, part in enumerate(parts)
        ]

    async def receive(self) -> dict[str, Any]:
        if self._coming:
            return self._coming.pop(0)
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.got.append(message)
        await self.reads.wait()

    @property
    def status(self) -> int:
        return int(self.got[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.got)


class Pieces:
    """A streamed answer that goes on when it is told to."""

    def __init__(self, keepalive: bytes = b"") -> None:
        self.go_on = asyncio.Event()
        self.closed = False
        self._head = Head(200, [("content-type", "text/event-stream")], None, keepalive)

    async def answer(self, reply: Reply) -> None:
        try:
            await reply.begin(self._head)
            await reply.send(b"one")
            await self.go_on.wait()
            await reply.send(b"two")
        finally:
            self.closed = True


Answering = Callable[[HttpResponseBase | Exception], SlimHandler]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """A handler all of whose views answer with one thing."""

    def make(answer: HttpResponseBase | Exception) -> SlimHandler:
        async def view(request: Any) -> HttpResponseBase:
            await request.whole_body()
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(asgi, "_view", view)
        return SlimHandler(no_pages)

    return make


async def no_pages(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("a page was asked for")


async def test_a_stream_is_sent_piece_by_piece(answering: Answering) -> None:
    pieces, played = Pieces(), Played()
    pieces.go_on.set()
    await answering(CallResponse(pieces.answer))(played.scope, played.receive, played.send)
    assert played.body == b"onetwo"
    assert [message.get("more_body") for message in played.got] == [None, True, True, False]
    assert pieces.closed


async def test_a_client_that_leaves_ends_the_answer_at_once(answering: Answering) -> None:
    pieces, played = Pieces(), Played()
    handler = answering(CallResponse(pieces.answer))
    serving = asyncio.create_task(handler(played.scope, played.receive, played.send))
    await eventually(lambda: _true(len(played.got) == 2))
    played.left.set()
    await serving
    assert pieces.closed
    assert played.body == b"one"
    assert len(handler._watch) == 0
    assert handler._bodies.in_flight == 0


async def test_a_client_that_leaves_in_the_middle_of_its_request_is_not_answered(answering: Answering) -> None:
    played = Played(b"half")
    played._coming[0]["more_body"] = True
    played.left.set()
    handler = answering(AssertionError("a view was asked"))
    await handler(played.scope, played.receive, played.send)
    assert played.got == []
    assert handler._bodies.in_flight == 0


async def test_a_server_that_cancels_a_call_is_obeyed(answering: Answering) -> None:
    pieces, played = Pieces(), Played()
    serving = asyncio.create_task(answering(CallResponse(pieces.answer))(played.scope, played.receive, played.send))
    await eventually(lambda: _true(len(played.got) == 2))
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert pieces.closed


async def test_a_client_is_kept_awake_while_an_answer_is_held(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_TICK", 0)
    monkeypatch.setattr(watch, "KEEPALIVE_EVERY", 0)
    pieces, played = Pieces(b": ping\n\n"), Played()
    serving = asyncio.create_task(answering(CallResponse(pieces.answer))(played.scope, played.receive, played.send))
    await eventually(lambda: _true(played.body.count(b": ping\n\n") >= 2))
    pieces.go_on.set()
    await serving
    assert played.body.replace(b": ping\n\n", b"") == b"onetwo"
    assert played.got[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_a_client_that_stops_reading_is_cut_off(answering: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_TICK", 0)
    monkeypatch.setattr(watch, "SLOWEST_READER", 0)
    pieces, played = Pieces(), Played()
    handler = answering(CallResponse(pieces.answer))
    serving = asyncio.create_task(handler(played.scope, played.receive, played.send))
    await eventually(lambda: _true(len(played.got) == 2))
    played.reads.clear()
    pieces.go_on.set()
    await serving
    assert pieces.closed
    assert played.got[-1].get("more_body") is not False
    assert len(handler._watch) == 0


async def test_bodies_in_flight_are_given_back_also_after_a_failure(answering: Answering) -> None:
    handler = answering(ZeroDivisionError())
    played = Played(b"abc")
    with pytest.raises(ZeroDivisionError):
        await handler(played.scope, played.receive, played.send)
    assert handler._bodies.in_flight == 0


async def test_what_is_not_an_answer_of_a_call_is_sent_with_its_length(answering: Answering) -> None:
    played = Played(path="/health", method="GET")
    await answering(HttpResponse(b"fine", content_type="text/plain"))(played.scope, played.receive, played.send)
    assert played.got[0]["headers"] == [(b"content-type", b"text/plain"), (b"content-length", b"4")]
    assert played.body == b"fine"


async def test_headers_go_out_as_the_provider_wrote_them(answering: Answering) -> None:
    given = [
        ("X-Name", "Ünicode"),
        ("x-two", "1"),
        ("x-two", "2"),
        ("x-odd", "\udcff"),
        ("Date", "no"),
        ("server", "no"),
    ]
    played = Played()
    await answering(CallResponse.of(Head(200, given, b"")))(played.scope, played.receive, played.send)
    assert played.got[0]["headers"] == [
        (b"x-name", "Ünicode".encode()), (b"x-two", b"1"), (b"x-two", b"2"), (b"x-odd", b"\xff"),
        (b"content-length", b"0"),
    ]  # fmt: skip


async def _true(value: bool) -> bool:
    return value


async def test_a_client_that_does_not_read_stops_the_provider_and_costs_no_memory(house: House) -> None:
    sent = 0
    filler = frame({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x" * 60_000}})
    whole = 48 * 1024 * 1024
    opening, closing = text(0).partition(b"event: content_block_stop")[::2]

    async def flood(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + opening)
        while sent < whole:
            await exchange.send(filler)
            sent += len(filler)
        await exchange.send(b"event: content_block_stop" + closing + STOP)
        await exchange.end()

    assert house.server.process is not None
    memory = psutil.Process(house.server.process.pid)
    async with provider(house, flood):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port, limit=1024)
        body = json.dumps(ANTHROPIC.body("x", stream=True, model="odd/first")).encode()
        head = f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {secret('loud')}\r\ncontent-length: {len(body)}"
        before = memory.memory_info().rss
        writer.write(f"{head}\r\nconnection: close\r\n\r\n".encode() + body)
        await _stands_still(lambda: sent)
        assert sent < whole
        # What has come is kept for the record, and little more.
        assert memory.memory_info().rss - before < 3 * sent + 24 * 1024 * 1024
        received, last = 0, b""
        while chunk := await reader.read(1 << 20):
            received += len(chunk)
            last = (last + chunk)[-1000:]
        writer.close()
    assert sent >= whole
    assert received > whole * 0.99 and b"message_stop" in last


async def test_an_answer_without_end_that_a_policy_holds_is_given_up(house: House) -> None:
    sent = 0
    filler = frame({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x" * 60_000}})

    async def flood(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + text(0).partition(b"event: content_block_stop")[0])
        while True:
            await exchange.send(filler)
            sent += len(filler)

    async with provider(house, flood):
        got = await ask(house, "holds", ANTHROPIC, "x", stream=True, model="odd/first")
    assert sent < 96 * 1024 * 1024
    assert b"xxx" not in got.content
    assert b"event: error" in got.content and b"wait for a verdict" in got.content
    assert (await house.record(got.headers["x-luthien-call-id"]))["outcome"] == "upstream_error"


async def _stands_still(value: Callable[[], int]) -> None:
    """Returns once `value` has begun to rise and then not risen for many looks: one may only mean a busy machine."""
    await eventually(lambda: _true(value() > 0))
    last, same = -1, 0
    while same < 8:
        same = same + 1 if value() == last else 0
        last = value()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.25)
