"""What is kept within bounds: ids that were met, and events that wait for a viewer. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable

from observability.activity.events import Event


class Met:
    """The ids met last, at most `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, id: str) -> bool:
        return id in self._ids

    def add(self, id: str) -> bool:
        """Whether it is new."""
        if id in self._ids:
            return False
        self._ids[id] = None
        if len(self._ids) > self._most:
            self._ids.popitem(last=False)
        return True

    def forget(self) -> None:
        self._ids.clear()


class Backlog:
    """Events that wait for a viewer: at most `most`; of those beyond, the oldest go, and are counted."""

    def __init__(self, most: int) -> None:
        self._events: deque[Event] = deque(maxlen=most)
        self._missed = 0

    def __len__(self) -> int:
        return len(self._events)

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            self._missed += len(self._events) == self._events.maxlen
            self._events.append(event)

    def take(self) -> tuple[list[Event], int]:
        """What waits, oldest first, and how many there was no room for."""
        taken = list(self._events), self._missed
        self._events.clear()
        self._missed = 0
        return taken
