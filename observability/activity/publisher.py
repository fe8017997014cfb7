"""What a process tells of its calls to those who watch, here or in another process. The only user of the channel layer.

While nobody watches, `watched` is all that a call looks at. Otherwise an event costs its call a place in a list; it is
made, and sent with those that came meanwhile, a moment later. What the list has no room for is counted and left to the
record: whoever reads the batches learns from them that something is missing, and looks there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Protocol
from uuid import uuid4

import orjson
import structlog
from channels.layers import get_channel_layer

from .events import Event, Subject

log = structlog.get_logger(__name__)

EVENTS = "activity.events"
"""The group of channels to which batches go."""
PRESENCE = "activity.presence"
"""The group in which those who have viewers say so."""
EVERY = 0.1
"""Seconds between two batches."""
MOST = 5_000
"""Events in a batch, at most."""
WATCHED_FOR = 6.0
"""Seconds for which one sign of a viewer in another process holds."""


class Told(Protocol):
    """A call that is told of."""

    is_real: bool

    @property
    def subject(self) -> Subject: ...


class Publisher:
    """Of one process. It belongs to the event loop that its calls run on."""

    def __init__(self) -> None:
        self.watched = False
        self.failing = False
        self.boot = uuid4().hex
        self._pending: list[tuple[Callable[..., Event], Told, tuple[Any, ...]]] = []
        self._lost = 0
        self._next = 0
        self._sending: asyncio.Task[None] | None = None
        self._viewers_here = False
        self._elsewhere_until = 0.0

    def publish(self, make: Callable[..., Event], call: Told, *args: Any) -> None:
        """Tell of `call` what `make(subject, *args)` will say. Does nothing for what only looks like a call."""
        if not call.is_real:
            return
        if len(self._pending) >= MOST:
            self._lost += 1
            return
        self._pending.append((make, call, args))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send())

    def here(self, viewers: bool) -> None:
        """Whether somebody watches in this process."""
        self._viewers_here = viewers
        self.look()

    def elsewhere(self) -> None:
        """Somebody watches in some process."""
        self._elsewhere_until = monotonic() + WATCHED_FOR
        self.look()

    def look(self) -> None:
        """To be called now and then: the viewers of other processes are believed for WATCHED_FOR."""
        before, self.watched = self.watched, self._viewers_here or monotonic() < self._elsewhere_until
        if self.watched and not before:
            # Whoever watched all along, unheard here, learns from a number left out that there was something to hear.
            self._next += 1

    async def _send(self) -> None:
        try:
            while self._pending or self._lost:
                await asyncio.sleep(EVERY)
                batch = self._batch()
                with suppress(TimeoutError):
                    async with asyncio.timeout(EVERY * 20):
                        await announce(EVENTS, {"type": "activity", "batch": batch})
            self.failing = False
        except Exception as error:
            # The numbers of what was lost are missing from what comes next.
            if not self.failing:
                log.warning("activity cannot be told to other processes", error=type(error).__name__)
            self.failing = True
        finally:
            self.look()

    def _batch(self) -> bytes:
        """`{"boot", "first", "events"}`: where the numbers of one boot leave a gap, events are missing."""
        pending, self._pending = self._pending, []
        first = self._next + self._lost
        self._next, self._lost = first + len(pending), 0
        events = [make(call.subject, *args) for make, call, args in pending]
        return orjson.dumps({"boot": self.boot, "first": first, "events": events})


publisher = Publisher()


async def announce(group: str, message: dict[str, Any]) -> None:
    """Send `message` to all processes that listen to `group`. Raises what the channel layer raises."""
    layer = get_channel_layer()
    assert layer is not None
    await layer.group_send(group, message)
