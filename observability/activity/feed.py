"""All that happens, for the viewers of this process: batches as they come, and the record, which knows what was missed.

One task listens to the channel layer, another one looks at the record: often where there is no Redis, since other
processes cannot be heard then, seldom where there is one, and at once where the numbers of a batch leave a gap or where
a call ends that was met half-way. What came both ways is passed on once. The tasks live as long as somebody watches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from time import time
from typing import Any, Protocol

import orjson
import structlog
from django.conf import settings

from . import history
from .batches import Batch
from .cursors import Cursor
from .events import Event, micros
from .listening import heard, told_to_end
from .memory import Met
from .publisher import EVENTS, PRESENCE, WATCHED_FOR, announce, publisher
from .under_way import UnderWay

log = structlog.get_logger(__name__)

LOOK_EVERY, LOOK_SELDOM = 0.5, 5.0
"""Seconds between two looks at the record: without Redis, and with it."""
OVERLAP = timedelta(seconds=10)
"""How far before the last look the next one goes back: what was being committed meanwhile."""
LISTENS_WITHIN = 2.0
"""Seconds after which somebody who joins no longer waits for a channel layer that does not answer."""
REMEMBERED = 50_000
"""Events by which the feed knows again what it has passed on."""


class Viewer(Protocol):
    def offer(self, batch: Batch) -> None:
        """Take note of it, at once."""

    def complete(self, call: str, whole: Batch) -> None:
        """Take note, at once, of all that the record tells of a call that is over, in case it was met half-way."""

    def end(self) -> None:
        """Nothing follows."""


class Feed:
    """Of one event loop. `join` and `leave` begin and end it."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._told = Met(REMEMBERED)
        self._calls = UnderWay()
        self._expected: dict[str, int] = {}
        self._looked_at = time()
        self._look_now = asyncio.Event()
        self._subscribed, self._listens, self._first_look = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def join(self, viewer: Viewer) -> None:
        """From now on `viewer` is offered what happens; returns when nothing that happens can escape it.

        That is: when this process listens, has said so to the others, and has looked at the record after that. A
        channel layer that is away is not waited for.
        """
        self._viewers.add(viewer)
        publisher.here(viewers=True)
        if not self._tasks:
            runs = (self._listen, self._be_present, self._look_again)
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
        return self._calls.cursor(int((self._looked_at - 1) * 1_000_000))

    def viewers(self) -> int:
        return len(self._viewers)

    def open_calls(self) -> dict[str, int]:
        """The calls whose records are not known to be closed, and when each began, in microseconds since 1970."""
        return self._calls.calls

    def ask(self, calls: Mapping[str, int]) -> None:
        """`complete` these for the viewers once they are over; with when each began, in microseconds since 1970."""
        self._calls.ask(calls)

    async def _listen(self) -> None:
        async for message in heard(EVENTS, self._subscribed):
            self._take(orjson.loads(message["batch"]))

    def _take(self, batch: dict[str, Any]) -> None:
        boot, first, events = batch["boot"], batch["first"], batch["events"]
        if self._expected.get(boot, first) != first:
            self._calls.doubt()
            self._look_now.set()
        self._expected[boot] = first + len(events)
        for event in events:
            if self._calls.hear(event):
                self._look_now.set()
        self._pass_on(events)

    async def _look_again(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LISTENS_WITHIN):
                await self._listens.wait()
        while not told_to_end():
            try:
                await self._look()
            except Exception:
                log.warning("activity cannot be read from the record", exc_info=True)
            self._first_look.set()
            seldom = settings.REDIS_URL and not publisher.failing and not self._calls.is_waited_for
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
                    self._calls.forgo(call.id)
        for call in found:
            self._calls.meet(call.id, micros(call.started_at))
        closed = set(await history.read(history.finished_of, list(self._calls.calls)))
        wanted = self._calls.to_read(closed)
        for start in range(0, len(wanted), history.PAGE):
            page = wanted[start : start + history.PAGE]
            events = await history.read(history.events_of, page)
            self._pass_on(events)
            self._complete(events, closed)
        self._calls.looked(closed)
        self._looked_at = began

    def _pass_on(self, events: list[Event]) -> None:
        new = [event for event in events if self._told.add(event["id"])]
        if new:
            batch = Batch(new)
            for viewer in self._viewers:
                viewer.offer(batch)

    def _complete(self, events: list[Event], closed: Collection[str]) -> None:
        """Offer what `events`, of the record, tell of those of their calls that are `closed`."""
        for call, told in groupby(events, key=itemgetter("call")):
            whole = Batch(list(told))
            self._calls.meet(call, whole.events[0]["at"])
            if call in closed:
                for viewer in self._viewers:
                    viewer.complete(call, whole)

    async def _be_present(self) -> None:
        await self._subscribed.wait()
        while settings.REDIS_URL and not told_to_end():
            with suppress(Exception):
                await announce(PRESENCE, {"type": "activity"})
            self._listens.set()
            await asyncio.sleep(WATCHED_FOR / 3)
        self._listens.set()


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
