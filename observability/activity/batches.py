"""Events as viewers get them: chosen and encoded once for all who see the same, however many they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import orjson

from .events import Event, without_words
from .filters import Filter


@dataclass(frozen=True, slots=True)
class View:
    """What a viewer sees: events of these teams, None for all, with what is said or without, that match `wanted`."""

    teams: frozenset[str] | None
    bodies: bool
    wanted: Filter

    def of(self, events: Iterable[Event]) -> list[Event]:
        """Those that are seen, as they are seen: a filter finds no words that are hidden."""
        if self.teams is not None:
            events = [event for event in events if event["team"] in self.teams]
        if not self.bodies:
            events = map(without_words, events)
        return list(events) if self.wanted.is_empty else [event for event in events if self.wanted.matches(event)]


class Shown:
    """Events in the forms in which they leave, each made once, when somebody asks for it."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events

    def __len__(self) -> int:
        return len(self.events)

    def newest(self, most: int) -> Shown:
        """The last `most` of them."""
        return self if len(self) <= most else Shown(self.events[len(self) - most :])

    @cached_property
    def items(self) -> bytes:
        """As the items of a JSON list."""
        return orjson.dumps(self.events)[1:-1]

    @cached_property
    def frames(self) -> bytes:
        """As server-sent events, each named by its kind, without the blank line behind the last."""
        return b"\n\n".join(f"event: {event['kind']}\ndata: ".encode() + orjson.dumps(event) for event in self.events)


class Batch:
    """What happened at a time, for any number of viewers."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self._shown: dict[View, Shown] = {}

    def shown(self, view: View) -> Shown:
        """What is seen of it so; the same object each time."""
        if view not in self._shown:
            self._shown[view] = Shown(view.of(self.events))
        return self._shown[view]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to a viewer. `seq` counts its messages, `cursor` is what to begin from next time, `missed` how many
    events there was no room for; `recent` says that the events are what was before, in place of all that was sent."""

    seq: int
    cursor: str
    pieces: Sequence[Shown] = ()
    missed: int = 0
    recent: bool = False

    def json(self) -> bytes:
        """`{"seq", "cursor", "missed", "recent", "events"}`."""
        facts = {"seq": self.seq, "cursor": self.cursor, "missed": self.missed, "recent": self.recent}
        items = b",".join(piece.items for piece in self.pieces if len(piece))
        return b'%b,"events":[%b]}' % (orjson.dumps(facts)[:-1], items)

    def frames(self) -> bytes:
        """Server-sent events, and one `missed` where there was no room; a comment for nothing.

        The last one has the cursor as its id: who has not got all of them has not got that far.
        """
        told = [piece.frames for piece in self.pieces if len(piece)]
        if self.missed:
            told.append(b'event: missed\ndata: {"missed":%d}' % self.missed)
        return b"%b\nid: %b\n\n" % (b"\n\n".join(told), self.cursor.encode()) if told else b": nothing new\n\n"
