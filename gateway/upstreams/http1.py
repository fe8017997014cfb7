"""One connection to a provider: HTTP/1.1 requests out, answers in, one after the other.

The parser is httptools'; what stands here is when to wait, when to stop reading, and what counts as whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from gateway.upstreams.base import Headers

LONGEST_HEAD = 256 * 1024
"""Bytes of an answer's status line and headers."""
_BUFFERED = 128 * 1024
"""Bytes of a body that wait unread before the provider has to."""
_BODY_ENDS = frozenset({"content-length", "transfer-encoding"})


class ConnectionEnded(Exception):
    """The connection closed before the answer was whole."""


class NotHTTP(Exception):
    """What came cannot be read as HTTP/1.1, or has a head without end."""


class Connection(asyncio.Protocol):
    """Made by `loop.create_connection`. For each call: `send`, `head`, then `read` until it brings nothing.

    `lost` is told when the connection is closed, by whichever side.
    """

    __slots__ = (
        "_chunks", "_error", "_head_size", "_is_paused", "_lost", "_on", "_parser", "_size", "_transport",
        "_until_closed", "_waiter", "closed", "headers", "idle_since", "loop", "status", "whole",
    )  # fmt: skip

    def __init__(self, lost: Callable[[Connection], None]) -> None:
        self.loop = asyncio.get_running_loop()
        self._lost = lost
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self.closed = False
        self.idle_since = 0.0
        self._reset()
        self._on = False

    def _reset(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self.whole = False
        self._on = True
        self._head_size = 0
        self._until_closed = False
        self._chunks: list[bytes] = []
        self._size = 0
        self._is_paused = False
        self._error: Exception | None = None

    @property
    def reusable(self) -> bool:
        """Whether another call may follow: this one's answer was read to its end, and both sides stay."""
        return self.whole and not self.closed and self._error is None and not self._chunks

    def send(self, head: bytes, body: bytes) -> None:
        """Begin a call."""
        self._reset()
        self._transport.writelines((head, body) if body else (head,))

    async def head(self) -> None:
        """Returns once `status` and `headers` (names in lower case) are there. Raises ConnectionEnded, NotHTTP."""
        while not self.status:
            await self.more()

    async def read(self) -> bytes:
        """What has come of the body since the last read; empty at its end. Raises ConnectionEnded, NotHTTP."""
        while not (data := self.take()) and not self.whole:
            await self.more()
        return data

    def take(self) -> bytes:
        """What has come of the body since the last read; nothing where one would have to wait for `more`, if any is to
        come: the body may be `whole`.
        """
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        return data

    def fail(self, error: Exception) -> None:
        """Raise `error` to whoever waits or reads on, and close."""
        self._error = self._error or error
        self.close()
        self._wake()

    def close(self) -> None:
        """Close at once; what was not sent yet is not sent any more."""
        self.closed = True
        self._transport.abort()

    def more(self) -> asyncio.Future[None]:
        """Done once something has come, or gone wrong. Raises what went wrong before: ConnectionEnded, NotHTTP."""
        if self._error is not None:
            raise self._error
        self._waiter = self.loop.create_future()
        return self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass

    def data_received(self, data: bytes) -> None:
        if not self._on:
            self.close()  # an answer to nothing
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.fail(NotHTTP())
            return
        except httptools.HttpParserUpgrade:
            self.fail(NotHTTP())
            return
        if not self.status:
            self._head_size += len(data)
            if self._head_size > LONGEST_HEAD:
                self.fail(NotHTTP())
        elif self._size > _BUFFERED and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._on:
            if exc is None and self._until_closed:
                self.whole, self._on = True, False
            else:
                self._error = self._error or ConnectionEnded()
            self._wake()
        self._lost(self)

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self.whole:
            raise NotHTTP  # a second answer to one request

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status:
            return  # a trailer, which describes nothing that has not been read by it
        self.headers.append((name.decode("latin-1").lower(), value.decode("utf-8", "surrogateescape")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status
            self._until_closed = not any(name in _BODY_ENDS for name, _ in self.headers)

    def on_body(self, data: bytes) -> None:
        self._chunks.append(data)
        self._size += len(data)

    def on_message_complete(self) -> None:
        if not self.status:
            self.headers = []  # those of an interim answer (100, 103)
            return
        self.whole, self._on = True, False
        if not self._parser.should_keep_alive():
            self.close()
