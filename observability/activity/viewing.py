"""One viewer: what was, then what happens, as messages; for a page and for a program alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from random import uniform

from observability.queries import Teams
from observability.viewers import Sight

from . import history
from .batches import Batch, Message, Shown, View
from .cursors import Cursor
from .events import Event, micros, moment
from .feed import feed
from .filters import Filter
from .memory import Backlog

BEAT = 15.0
"""Seconds of silence after which a message without events is sent."""
PAUSE, PAUSE_EACH = 0.15, 0.004
"""Seconds between two messages to a viewer, at least; with many viewers so many for each of them."""
MOST = 5_000
"""Events that wait for a viewer; those beyond are counted. All who see the same share them, so they cost no memory."""
ENOUGH = 1_000
"""Events after which a message ends, so that what a slow viewer is behind does not fill its socket at once."""
RECENT_CALLS, RECENT_EVENTS = 200, 200
"""How far a viewer that begins looks back."""


class Viewing:
    """`async with` it, and read `messages`. `sight` is what the viewer may see. Where there is no cursor to go on from,
    `recent` begins with what was.
    """

    def __init__(self, sight: Sight, wanted: Filter, cursor: Cursor | None = None, *, recent: bool = False) -> None:
        self._view = View(None if sight.teams is None else frozenset(sight.teams), sight.bodies, wanted)
        self._cursor = cursor
        self._backlog = Backlog(MOST)
        self._again = asyncio.Event()
        self._recent_wanted = recent and cursor is None
        self._half_told: set[str] = set()
        self._sent = 0
        self._is_over = False

    async def __aenter__(self) -> Viewing:
        self._feed = feed()
        try:
            await self._feed.join(self)
        except BaseException:
            self._feed.leave(self)
            raise
        self._reached = self._cursor or self._feed.cursor()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._feed.leave(self)

    def offer(self, batch: Batch) -> None:
        self._add(batch.shown(self._view))

    def complete(self, call: str, whole: Batch) -> None:
        if call in self._half_told:
            self._half_told.discard(call)
            self._add(whole.shown(self._view))

    def only(self, wanted: Filter) -> None:
        """Another filter, from now on; the next message begins anew with what was."""
        self._view = replace(self._view, wanted=wanted)
        self._backlog = Backlog(MOST)
        self._recent_wanted = True
        self._again.set()

    def end(self) -> None:
        """The process is about to end: so do the messages."""
        self._is_over = True
        self._again.set()

    async def messages(self) -> AsyncIterator[Message]:
        """Without end, but for `end`. Raises DatabaseError where what was cannot be read."""
        if self._cursor is not None:
            # Until all pages are there, whoever is interrupted begins anew.
            async for page in self._since(self._cursor):
                yield self._message(page, self._cursor)
        while not self._is_over:
            where = self._feed.cursor()
            if self._recent_wanted:
                self._recent_wanted = False
                yield self._message(await self._recent(), where, recent=True)
            try:
                async with asyncio.timeout(BEAT):
                    await self._again.wait()
            except TimeoutError:
                yield self._message([], where)
                continue
            self._again.clear()
            if not self._recent_wanted:
                offered = self._feed.cursor()
                pieces, missed = self._backlog.take(ENOUGH)
                if len(self._backlog):
                    self._again.set()
                else:
                    self._reached = offered
                if any(map(len, pieces)) or missed:
                    yield self._message(pieces, self._reached, missed)
                    pause = max(PAUSE, PAUSE_EACH * self._feed.viewers())
                    # Not all at the same moment: a hundred messages in a row are a pause in everybody's calls.
                    await asyncio.sleep(pause * uniform(0.75, 1.25))  # noqa: S311 (nothing is secret about it)

    def _message(self, pieces: Sequence[Shown], where: Cursor, missed: int = 0, recent: bool = False) -> Message:
        self._sent += 1
        return Message(self._sent, str(where), pieces, missed, recent)

    async def _recent(self) -> list[Shown]:
        ids = await history.read(history.newest, RECENT_CALLS, self._team_names)
        self._met_half_way(self._feed.open_calls())
        events = self._view.of(await history.read(history.events_of, ids))
        return [Shown(sorted(events, key=_at)[-RECENT_EVENTS:])]

    async def _since(self, cursor: Cursor) -> AsyncIterator[list[Shown]]:
        """What the record tells of the time since, oldest call first, in pages."""
        told, oldest = moment(cursor.told), moment(cursor.oldest)
        page = await history.read(history.after, told, oldest, self._team_names)
        while page:
            self._met_half_way({call.id: micros(call.started_at) for call in page if call.is_open})
            events = await history.read(history.events_of, [call.id for call in page])
            yield [Shown(sorted(self._view.of(events), key=_at))]
            page = await history.read(history.after, told, oldest, self._team_names, page[-1])

    def _met_half_way(self, calls: Mapping[str, int]) -> None:
        """What the record does not tell of them yet, it will when they are over. To be said before it is read."""
        self._half_told |= calls.keys()
        self._feed.ask(calls)

    def _add(self, shown: Shown) -> None:
        if len(shown):
            self._backlog.add(shown)
            self._again.set()

    @property
    def _team_names(self) -> Teams:
        return None if self._view.teams is None else sorted(self._view.teams)


def _at(event: Event) -> int:
    return int(event["at"])
