"""Keeping an eye on bodies and answers under way: a waiting client is kept awake, one that went silent is cut off.

One ticker serves all of them in a process, so that none costs a timer of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

KEEPALIVE_EVERY = 12.0
"""Seconds of silence after which a held client gets a sign; with the ticker's second it stays well under 15."""
SLOWEST_READER = 120.0
"""Seconds that one send may take before the client counts as gone."""
SLOWEST_SENDER = 60.0
"""Seconds without a byte of a request's body after which it counts as not coming."""
LONGEST_SENDING = 600.0
"""Seconds that a request's body may take from its first byte to its last, however it drips."""
_TICK = 1.0

Send = Callable[[Any], Awaitable[None]]


class ClientLeft(Exception):
    """The client closed its connection before its request, or the answer, was whole."""


class WatchedAnswer:
    """One answer on its way to a client. `keepalive` is what may be sent between frames, or empty for nothing."""

    __slots__ = ("_keepalive", "_last_sent", "_send", "_sending", "_task", "cut_off")

    def __init__(self, send: Send, keepalive: bytes, task: asyncio.Task[Any]) -> None:
        self._send = send
        self._keepalive = keepalive
        self._task = task
        self._last_sent = monotonic()
        self._sending = False
        self.cut_off = False

    async def send(self, body: bytes) -> None:
        """Send whole frames; waits as long as the client's socket is full. Raises ClientLeft."""
        self._sending = True
        self._last_sent = monotonic()
        try:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
        except OSError:  # by which some servers tell it
            raise ClientLeft from None
        finally:
            self._sending = False

    async def finish(self) -> None:
        """Say that nothing follows."""
        self._keepalive = b""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def tick(self, now: float) -> None:
        silent = now - self._last_sent
        if self._sending:
            if silent > SLOWEST_READER and not self.cut_off:
                self.cut_off = True
                self._task.cancel()
        elif self._keepalive and silent >= KEEPALIVE_EVERY:
            _spawn(self._keep_awake())

    async def _keep_awake(self) -> None:
        if self._keepalive:  # which may be over by the time that this runs
            await self.send(self._keepalive)


class WatchedBody:
    """One request's body on its way to us, read by `task`, which is cancelled when it has become `too_slow`."""

    __slots__ = ("_began", "_last_heard", "_task", "too_slow")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task
        self._began = self._last_heard = monotonic()
        self.too_slow = False

    def heard(self) -> None:
        """Something came."""
        self._last_heard = monotonic()

    def tick(self, now: float) -> None:
        stalls = now - self._last_heard > SLOWEST_SENDER or now - self._began > LONGEST_SENDING
        if stalls and not self.too_slow:
            self.too_slow = True
            self._task.cancel()


class Watch:
    """What is under way in this process."""

    def __init__(self) -> None:
        self._watched: set[WatchedAnswer | WatchedBody] = set()
        self._ticker: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._watched)

    def add(self, watched: WatchedAnswer | WatchedBody) -> None:
        self._watched.add(watched)
        if self._ticker is None or self._ticker.done():
            self._ticker = asyncio.create_task(self._tick())

    def discard(self, watched: WatchedAnswer | WatchedBody) -> None:
        self._watched.discard(watched)

    async def _tick(self) -> None:
        while self._watched:
            await asyncio.sleep(_TICK)
            now = monotonic()
            for watched in tuple(self._watched):
                watched.tick(now)


_background: set[asyncio.Task[None]] = set()


def _spawn(sending: Awaitable[None]) -> None:
    task = asyncio.ensure_future(_quietly(sending))
    _background.add(task)
    task.add_done_callback(_background.discard)


async def _quietly(sending: Awaitable[None]) -> None:
    """A client that has gone is noticed by the answer itself."""
    try:
        await sending
    except Exception:
        return
