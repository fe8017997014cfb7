"""The links of one answer, and the gate behind them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from policies.events import Event

from .gate import Gate
from .items import Item
from .link import Link


class Chain:
    """Events in, released events out. After a `feed` that leaves it `waiting`, it is settled until it no longer is.

    `single` says that one answer comes, not several choices, so that a link that stops it stops all.
    """

    def __init__(self, links: Sequence[Link], gate: Gate, single: bool) -> None:
        self._links = links
        self._gate = gate
        self._single = single
        self._unread: deque[Event] = deque()
        self._waiting_at: int | None = None
        self._passed: list[Item] = []
        self.over = False
        """Whether nothing that may still come can be released."""

    @property
    def waiting(self) -> bool:
        return self._waiting_at is not None

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """What is released at once. Raises RetryAsked."""
        self._unread.extend(events)
        return self._read()

    async def settle(self) -> list[Event]:
        """Wait for a verdict: what is released then. Raises RetryAsked."""
        place = self._waiting_at
        if place is None:
            return []
        link = self._links[place]
        items = self._passed + await link.settle()
        self._waiting_at = None
        self.over |= self._single and link.stopped
        return self._pass(items, place + 1) + self._read()

    def close(self) -> None:
        """Let go of what is still being judged."""
        for link in self._links:
            link.close()

    def _read(self) -> list[Event]:
        released: list[Event] = []
        unread = self._unread
        while unread and self._waiting_at is None and not self.over:
            event = unread.popleft()
            self._gate.announce(event)
            released += self._pass([event], 0)
        return released

    def _pass(self, items: list[Item], first: int) -> list[Event]:
        for place in range(first, len(self._links)):
            link = self._links[place]
            items = link.feed(items)
            if link.waiting:
                self._waiting_at, self._passed = place, items
                return []
            if link.stopped:
                self.over = self._single
        return self._gate.release(items) if items else []
