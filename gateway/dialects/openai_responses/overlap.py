"""Items that are open at the same time, kept until they can be told one after another."""

from __future__ import annotations

from gateway.dialects.wire_json import Json
from policies.events import Event, Frame


class Numbered(Frame):
    """A frame with the first and the last sequence number in its bytes; None where there are none.

    `blank` says that it ends a text that was empty already when it came from the model.
    """

    __slots__ = ("blank", "first", "last")

    def __init__(self, raw: bytes, size: int, first: int | None, last: int | None, blank: bool = False) -> None:
        super().__init__(raw, size)
        self.first = first
        self.last = last
        self.blank = blank


class Pieces:
    """Wire events on their way into one frame."""

    __slots__ = ("_first", "_last", "_raw")

    def __init__(self) -> None:
        self.clear()

    def __bool__(self) -> bool:
        return bool(self._raw)

    def clear(self) -> None:
        self._raw: list[bytes] = []
        self._first: int | None = None
        self._last: int | None = None

    def add(self, raw: bytes, source: Json) -> None:
        self._raw.append(raw)
        number = source.get("sequence_number")
        if isinstance(number, int):
            self._first = number if self._first is None else min(self._first, number)
            self._last = number if self._last is None else max(self._last, number)

    def become_frame(self, events: list[Event], blank: bool = False) -> None:
        """Make `events` those of one frame with all these bytes, and begin anew."""
        frame = Numbered(b"".join(self._raw), len(events), self._first, self._last, blank)
        for event in events:
            event.frame = frame
        self.clear()


class Overlap:
    """The events of items that overlap, by their index. `first` was open alone before, and its start told."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._items: dict[int, list[Event]] = {first: []}
        self._closed: set[int] = set()

    def add(self, index: int, events: list[Event]) -> None:
        self._items.setdefault(index, []).extend(events)

    def close(self, index: int) -> None:
        self._closed.add(index)

    def events(self) -> list[Event]:
        """All of them in the order of the grammar."""
        return [event for events in self._items.values() for event in events]

    def complete(self) -> list[Event]:
        """Those of items that are whole; of none if the first is not, because it was begun before."""
        if self._first not in self._closed:
            return []
        return [event for index, events in self._items.items() if index in self._closed for event in events]
