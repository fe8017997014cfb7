"""One viewer: what was, then what happens, as messages; for a page and for a program alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from observability.activity import history
from observability.activity.cursors import Cursor
from observability.activity.events import Event, moment, without_words
from observability.activity.feed import feed
from observability.activity.filters import Filter
from observability.activity.memory import Backlog, Met
from observability.queries import Teams
from observability.viewers import Sight

BEAT = 15.0
"""Seconds of silence after which a message without events is sent."""
PAUSE = 0.15
"""Seconds between two messages, at least."""
MOST = 1_000
"""Events that wait for a viewer; those beyond are counted."""
RECENT_CALLS, RECENT_EVENTS = 200, 200
"""How far a viewer that begins looks back."""

Message = dict[str, Any]


class Viewing:
    """`async with` it, and read `messages`. `sight` is what the viewer may see. Where there is no cursor to go on from,
    `recent` begins with what was.

    A message is {"seq", "cursor", "events", "missed", "recent"}: `seq` counts the messages, `cursor` is what to begin
    from next time, `missed` how many events there was no room for, and `recent` that the events are what was before,
    in place of all that was sent up to then.
    """

    def __init__(self, sight: Sight, wanted: Filter, cursor: Cursor | None = None, *, recent: bool = False) -> None:
        self._teams = None if sight.teams is None else set(sight.teams)
        self._bodies = sight.bodies
        self._filter, self._wants_all = wanted, wanted.is_empty
        self._cursor = cursor
        self._backlog = Backlog(MOST)
        self._again = asyncio.Event()
        self._recent_wanted = recent and cursor is None
        self._half_told: set[str] = set()
        self._ended: set[str] = set()
        self._sent = 0
        self._is_over = False

    async def __aenter__(self) -> Viewing:
        self._feed = feed()
        try:
            await self._feed.join(self)
        except BaseException:
            self._feed.leave(self)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._feed.leave(self)

    def offer(self, events: list[Event]) -> None:
        visible = self._seen(events)
        ended = {event["call"] for event in events if event["kind"] == "finished"} & self._half_told
        if visible or ended:
            self._backlog.add(visible)
            self._ended |= ended
            self._again.set()

    def only(self, wanted: Filter) -> None:
        """Another filter, from now on; the next message begins anew with what was."""
        self._filter, self._wants_all = wanted, wanted.is_empty
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
                await asyncio.wait_for(self._again.wait(), BEAT)
            except TimeoutError:
                yield self._message([], where)
                continue
            self._again.clear()
            if not self._recent_wanted:
                where = self._feed.cursor()
                events, missed = self._backlog.take()
                events = await self._whole(events)
                if events or missed:
                    yield self._message(events, where, missed)
                    await asyncio.sleep(PAUSE)

    def _message(self, events: list[Event], where: Cursor, missed: int = 0, recent: bool = False) -> Message:
        self._sent += 1
        return {"seq": self._sent, "cursor": str(where), "events": events, "missed": missed, "recent": recent}

    def _seen(self, events: Iterable[Event]) -> list[Event]:
        """Those that the viewer wants and may see, as they may see them: a filter finds no words that are hidden."""
        shown = events if self._bodies else map(without_words, events)
        return [event for event in shown if self._sees(event)]

    def _sees(self, event: Event) -> bool:
        if self._teams is not None and event["team"] not in self._teams:
            return False
        return self._wants_all or self._filter.matches(event)

    async def _recent(self) -> list[Event]:
        ids = await history.read(history.newest, RECENT_CALLS, self._team_names)
        self._half_told |= self._feed.open_calls()
        events = self._seen(await history.read(history.events_of, ids))
        return sorted(events, key=_at)[-RECENT_EVENTS:]

    async def _since(self, cursor: Cursor) -> AsyncIterator[list[Event]]:
        """What the record tells of the time since, oldest call first, in pages."""
        told, oldest = moment(cursor.told), moment(cursor.oldest)
        page = await history.read(history.after, told, oldest, self._team_names)
        while page:
            # What an open call's record does not tell yet, it will when the call is over.
            self._half_told |= {call.id for call in page if call.is_open}
            events = await history.read(history.events_of, [call.id for call in page])
            yield sorted(self._seen(events), key=_at)
            page = await history.read(history.after, told, oldest, self._team_names, page[-1])

    async def _whole(self, events: list[Event]) -> list[Event]:
        """`events`, and all that is on record of calls that are over now and that this viewer met half-way."""
        if not self._ended:
            return events
        ended, self._ended = self._ended, set()
        self._half_told -= ended
        known = Met(MOST)
        told = self._seen(await history.read(history.events_of, ended))
        return sorted((event for event in [*events, *told] if known.add(event["id"])), key=_at)

    @property
    def _team_names(self) -> Teams:
        return None if self._teams is None else sorted(self._teams)


def _at(event: Event) -> int:
    return int(event["at"])
