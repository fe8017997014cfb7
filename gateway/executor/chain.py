"""The links of one answer, and the gate behind them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Self

from gateway.errors import UpstreamEndless
from policies.events import BlockDelta, Event, Start

from .gate import Gate
from .items import Item
from .link import Lane, Link

MOST_HELD = 64 * 1024 * 1024
"""About how many bytes of an answer may wait for a verdict: one without end must not fill the memory."""
_EVENT = 200
"""About how many bytes an event is without its text."""


class Chain:
    """Events in, released events out. After a `feed` that leaves it `waiting`, it is settled until it no longer is.

    `single` says that one answer comes, not several choices, so that a link that stops it stops all. Used as a context,
    it lets go at the end of what is still being judged.
    """

    def __init__(self, links: Sequence[Link], gate: Gate, single: bool) -> None:
        self._links = links
        self._gate = gate
        self._single = single
        self._waits = any(link.waits for link in links)
        self._unread: deque[Event] = deque()
        self._waiting_at = 0
        self._passed: list[Item] = []
        self._lanes: Sequence[Lane] | None = None
        self._held = 0
        self.waiting = False
        self.over = False
        """Whether nothing that may still come can be released."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for link in self._links:
            link.close()

    def feed(self, events: list[Event]) -> list[Event]:
        """What is released at once.

        Raises RetryAsked where a policy wants another model, RequestBlocked where a notice cannot stand in an answer of
        the shape that the client asked for, and UpstreamEndless where more came than can be held.
        """
        if not self._links:
            return events
        only = events[0] if len(events) == 1 else None
        if not isinstance(only, BlockDelta):
            self._lanes = None
        elif self._lanes is None:
            self._lanes = self._find_lanes()
        if self._lanes and isinstance(only, BlockDelta):
            released = self._pass_along(self._lanes, only)
        else:
            self._unread.extend(events)
            released = self._read()
        if released:
            self._held = 0
        elif not self.waiting:
            self._hold(events)
        return released

    async def settle(self) -> list[Event]:
        """Wait for a verdict: what is released then. Raises as `feed`."""
        if not self.waiting:
            return []
        place = self._waiting_at
        link = self._links[place]
        items = self._passed + await link.settle()
        self.waiting, self._lanes = False, None
        self.over |= self._single and link.stopped
        released = self._pass(items, place + 1) + self._read()
        if released:
            self._held = 0
        return released

    def _find_lanes(self) -> Sequence[Lane]:
        """The lanes of all links; none where one has none, or something is kept back."""
        if self._unread or self.over or not self._gate.lets_deltas_by:
            return ()
        lanes = [lane for link in self._links if (lane := link.lane()) is not None]
        return lanes if len(lanes) == len(self._links) else ()

    def _pass_along(self, lanes: Sequence[Lane], delta: BlockDelta) -> list[Event]:
        """What `_read` would make of a delta, with a third of its calls: most events of an answer come here."""
        for place, lane in enumerate(lanes):
            items = lane(delta)
            only = items[0] if len(items) == 1 else None
            if not isinstance(only, BlockDelta):
                if not items:
                    return []
                self._lanes = None
                return self._pass([*items], place + 1)
            delta = only
        return [delta]

    def _hold(self, events: list[Event]) -> None:
        self._held += _size(events)
        if self._held > MOST_HELD:
            raise UpstreamEndless(f"More than {MOST_HELD >> 20} MiB of the answer wait for a verdict.")

    def _read(self) -> list[Event]:
        released: list[Event] = []
        unread = self._unread
        while unread and not self.waiting and not self.over:
            # Where a verdict may be waited for, what is ready must not wait with what is behind it.
            released += self._pass([self._next()] if self._waits else self._rest(), 0)
        return released

    def _next(self) -> Item:
        event = self._unread.popleft()
        if not isinstance(event, BlockDelta):
            self._gate.announce(event)
        return event

    def _rest(self) -> list[Item]:
        """All that is there of one answer."""
        items = [self._next()]
        while self._unread and not isinstance(self._unread[0], Start):
            items.append(self._next())
        return items

    def _pass(self, items: list[Item], first: int) -> list[Event]:
        for place in range(first, len(self._links)):
            link = self._links[place]
            items = link.feed(items)
            if link.waiting:
                self.waiting, self._waiting_at, self._passed = True, place, items
                return []
            if link.stopped:
                self.over = self._single
        return self._gate.release(items) if items else []


def _size(events: Iterable[Event]) -> int:
    return sum(_EVENT + (len(event.text) if isinstance(event, BlockDelta) else 0) for event in events)
