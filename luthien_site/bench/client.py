"""The load generator's HTTP/1.1 client: one call at a time a connection, a few microseconds an event."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

import httptools

MARK = b"MARK"
"""Every text event of a benchmarked answer holds it once, in capitals, so that it survives `uppercase`."""
TOOK_SECONDS = 60.0
_CALL_ID = b"x-luthien-call-id"


class CallFailed(Exception):
    """A call that should have been answered was not; the message says how it ended."""


@dataclass(slots=True)
class Reply:
    """An answer as it arrives. Times are `perf_counter` seconds; `marks` has one for each text event."""

    began: float
    status: int = 0
    call_id: str = ""
    marks: list[float] = field(default_factory=list)
    ended: float = 0.0
    body: bytearray = field(default_factory=bytearray)

    @property
    def complete(self) -> bool:
        return self.ended > 0


class Connection(asyncio.Protocol):
    """A connection to a server; `reply` is the answer of the call that is on it, or was last."""

    def __init__(self) -> None:
        self.reply = Reply(0.0)
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._done: asyncio.Future[None] | None = None
        self._tail = b""

    async def call(self, request: bytes) -> Reply:
        """Send, and return the whole answer. Raises CallFailed where the connection ends first or nothing comes."""
        reply = self.begin(request)
        assert self._done is not None
        loop = asyncio.get_running_loop()
        # A timer costs a third of what asyncio.timeout does.
        deadline = loop.call_later(TOOK_SECONDS, self._end, CallFailed(f"no whole answer within {TOOK_SECONDS:.0f} s"))
        try:
            await self._done
        finally:
            deadline.cancel()
        return reply

    def begin(self, request: bytes) -> Reply:
        """Send, and return the answer that will fill up."""
        if self.closed or self._transport is None:
            raise CallFailed("the server closed the connection")
        self._done = asyncio.get_running_loop().create_future()
        # Whoever only began may never look at how it ended.
        self._done.add_done_callback(lambda done: done.exception())
        self._tail = b""
        self.reply = Reply(perf_counter())
        self._transport.write(request)
        return self.reply

    @property
    def closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # What asyncio and the parser call.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(CallFailed(f"the answer is not HTTP: {error}"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(CallFailed("the connection was cut"))

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == _CALL_ID:
            self.reply.call_id = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.reply.status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        self.reply.body += data
        # A mark may be split over two reads.
        joined = self._tail + data
        count = joined.count(MARK)
        if count:
            self.reply.marks.extend([perf_counter()] * count)
        self._tail = b"" if joined.endswith(MARK) else joined[-len(MARK) + 1 :]

    def on_message_complete(self) -> None:
        self.reply.ended = perf_counter()
        self._end(None)

    def _end(self, failure: CallFailed | None) -> None:
        if self._done is None or self._done.done():
            return
        if failure is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(failure)


class Pool:
    """Connections to one server, opened as they are needed and kept."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._idle: deque[Connection] = deque()
        self._all: list[Connection] = []

    async def open(self) -> Connection:
        """A new connection of the caller's own, closed with the pool."""
        _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self.port)
        self._all.append(connection)
        return connection

    async def call(self, request: bytes) -> Reply:
        """The whole answer, over an idle connection if there is one. Raises CallFailed, also where it is no success."""
        connection = self._idle.popleft() if self._idle else await self.open()
        if connection.closed:
            connection = await self.open()
        reply = await connection.call(request)
        check(reply)
        self._idle.append(connection)
        return reply

    def close(self) -> None:
        for connection in self._all:
            connection.close()
        self._all.clear()
        self._idle.clear()


def check(reply: Reply) -> None:
    """Raises CallFailed unless the call succeeded with text."""
    if reply.status != 200 or not reply.marks:
        text = re.sub(r"\s+", " ", bytes(reply.body[:300]).decode("utf-8", "replace"))
        raise CallFailed(f"answered {reply.status}: {text}")
