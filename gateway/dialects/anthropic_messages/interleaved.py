"""Blocks that are open at the same time, kept until they can be told one after another."""

from __future__ import annotations

from gateway.dialects.frames import share_frame
from policies.events import BlockEnd, BlockStart, Event


class Interleaved:
    """Begins when a second block opens beside `first`, whose start has been told already."""

    def __init__(self, first: int | None) -> None:
        self._first = first
        self._blocks: dict[int | None, list[Event]] = {first: []}
        self._open = {first}
        self._raw: list[bytes] = []

    @property
    def closed(self) -> bool:
        return not self._open

    def add(self, index: int, events: list[Event], raw: bytes) -> None:
        """Raises KeyError for a block that is not open, or is already."""
        if isinstance(events[0], BlockStart):
            if index in self._blocks:
                raise KeyError(index)
            self._blocks[index] = []
            self._open.add(index)
        elif isinstance(events[0], BlockEnd):
            self._open.remove(index)
        elif index not in self._open:
            raise KeyError(index)
        self._blocks[index] += events
        self._raw.append(raw)

    def pass_by(self, raw: bytes) -> None:
        """A ping or an unknown event between the blocks: it stays where it is as long as nothing is changed."""
        self._raw.append(raw)

    def release(self) -> list[Event]:
        """All events in grammar order, sharing one frame."""
        events = [event for block in self._blocks.values() for event in block]
        share_frame(events, b"".join(self._raw))
        return events

    def complete(self) -> list[Event]:
        """The blocks that are closed; the first one only if it is, because it was begun before."""
        if self._first in self._open:
            return []
        return [event for index, block in self._blocks.items() if index not in self._open for event in block]
