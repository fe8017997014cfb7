"""All that happens, for the viewers of this process: batches as they come, and the record, which knows what was missed.

One task listens to the channel layer, another one looks at the record: often where there is no Redis, since other
processes cannot be heard then, seldom where there is one, and at once where the numbers of a batch leave a gap. What
came both ways is passed on once. Both tasks live as long as somebody watches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any, Protocol

import orjson
import structlog
from channels.layers import get_channel_layer
from django.conf import settings

from . import history
from .batches import Batch
from .cursors import Cursor
from .events import Event, micros
from .memory import Met
from .publisher import EVENTS, PRESENCE, WATCHED_FOR, announce, publisher

log = structlog.get_logger(__name__)

LOOK_EVERY, LOOK_SELDOM = 0.5, 5.0
"""Seconds between two looks at the record: without Redis, and with it."""
OVERLAP = timedelta(seconds=10)
"""How far before the last look the next one goes back: what was being committed meanwhile."""
REMEMBERED = 50_000
"""Events, and calls that are over, by which the feed knows again what it has passed on."""


class Viewer(Protocol):
    def offer(self, batch: Batch) -> None:
        """Take note of it, at once."""

    def end(self) -> None:
        """Nothing follows."""


class Feed:
    """Of one event loop. `join` and `leave` begin and end it."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._told, self._over = Met(REMEMBERED), Met(REMEMBERED)
        self._open: dict[str, int] = {}
        self._unheard: set[str] = set()
        self._expected: dict[str, int] = {}
        self._looked_at = time()
        self._look_now = asyncio.Event()
        self._first_look = asyncio.Event()

    async def join(self, viewer: Viewer) -> None:
        """From now on `viewer` is offered what happens; returns when nothing that happens can escape it."""
        self._viewers.add(viewer)
        publisher.here(viewers=True)
        if not self._tasks:
            runs = (self._listen, self._look_again, *([self._be_present] if settings.REDIS_URL else []))
            self._tasks = [asyncio.create_task(run()) for run in runs]
        await self._first_look.wait()

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        if not self._viewers:
            publisher.here(viewers=False)
            for task in self._tasks:
                task.cancel()
            _feeds.pop(asyncio.get_running_loop(), None)

    def end(self) -> None:
        for viewer in self._viewers:
            viewer.end()

    def cursor(self) -> Cursor:
        """Where somebody stands who has been offered everything up to now."""
        told = int((self._looked_at - 1) * 1_000_000)
        return Cursor(told, min(told, *self._open.values()) if self._open else told)

    def viewers(self) -> int:
        return len(self._viewers)

    def open_calls(self) -> set[str]:
        return set(self._open)

    async def _listen(self) -> None:
        async for message in heard(EVENTS):
            self._take(orjson.loads(message["batch"]))

    def _take(self, batch: dict[str, Any]) -> None:
        boot, first, events = batch["boot"], batch["first"], batch["events"]
        if self._expected.get(boot, first) != first:
            self._doubt()
        self._expected[boot] = first + len(events)
        # Who was there from the beginning need not be looked after.
        self._unheard.difference_update(event["call"] for event in events if event["kind"] == "request_received")
        self._pass_on(events)

    def _doubt(self) -> None:
        """Something was missed: what seemed to be over or told is looked at again."""
        self._over.forget()
        self._unheard.update(self._open)
        self._look_now.set()

    async def _look_again(self) -> None:
        while not _told_to_end():
            try:
                await self._look()
            except Exception:
                log.warning("activity cannot be read from the record", exc_info=True)
            self._first_look.set()
            seldom = settings.REDIS_URL and not publisher.failing
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SELDOM if seldom else LOOK_EVERY):
                    await self._look_now.wait()
            self._look_now.clear()

    async def _look(self) -> None:
        began, back_to = time(), datetime.fromtimestamp(self._looked_at, UTC) - OVERLAP
        found = await history.read(history.since, back_to)
        if not self._first_look.is_set():
            found += await history.read(history.still_open)
            # What was over when the first viewer came is nothing that happens.
            for call in found:
                if not call.is_open:
                    self._over.add(call.id)
        fresh = [call for call in found if call.id not in self._over and call.id not in self._open]
        for call in fresh:
            self._open[call.id] = micros(call.started_at)
            self._unheard.add(call.id)
        ended = await history.read(history.finished_of, list(self._open))
        wanted = list(dict.fromkeys([*self._unheard, *ended]))
        for start in range(0, len(wanted), history.PAGE):
            self._pass_on(await history.read(history.events_of, wanted[start : start + history.PAGE]))
        self._looked_at = began

    def _pass_on(self, events: list[Event]) -> None:
        new = [event for event in events if self._told.add(event["id"])]
        for event in events:
            self._note(event)
        if new:
            batch = Batch(new)
            for viewer in self._viewers:
                viewer.offer(batch)

    def _note(self, event: Event) -> None:
        call = event["call"]
        if event["kind"] == "request_received" and call not in self._over:
            self._open.setdefault(call, event["at"])
        elif event["kind"] == "finished":
            self._over.add(call)
            self._open.pop(call, None)
            self._unheard.discard(call)

    async def _be_present(self) -> None:
        while not _told_to_end():
            with suppress(Exception):
                await announce(PRESENCE, {"type": "activity"})
            await asyncio.sleep(WATCHED_FOR / 3)


_feeds: dict[asyncio.AbstractEventLoop, Feed] = {}


def feed() -> Feed:
    """This loop's."""
    loop = asyncio.get_running_loop()
    if loop not in _feeds:
        _feeds[loop] = Feed()
    return _feeds[loop]


def end() -> None:
    """Let every viewer of this process go: it is about to end."""
    for each in _feeds.values():
        each.end()


def _told_to_end() -> bool:
    """Whether this task was cancelled: the client of Redis may take that for a lost connection, and try again."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def heard(group: str) -> AsyncIterator[dict[str, Any]]:
    """Messages to `group`, for as long as somebody asks; a channel layer that is away is tried again."""
    layer = get_channel_layer()
    assert layer is not None
    while not _told_to_end():
        try:
            channel = await layer.new_channel()
            await layer.group_add(group, channel)
        except Exception as error:
            log.warning("activity of other processes cannot be heard", group=group, error=type(error).__name__)
            await asyncio.sleep(LOOK_SELDOM)
            continue
        try:
            while not _told_to_end():
                yield await layer.receive(channel)
        finally:
            with suppress(Exception):
                await layer.group_discard(group, channel)


async def listen_for_viewers() -> None:
    """For as long as the process lives: learn that somebody watches elsewhere. There is nobody to ask without Redis."""
    if settings.REDIS_URL:
        async for _ in heard(PRESENCE):
            publisher.elsewhere()
