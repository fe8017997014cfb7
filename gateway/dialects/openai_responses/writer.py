"""Events to OpenAI's Responses stream."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.dialects.frames import FrameWriter, sse
from gateway.dialects.wire_json import Json
from policies.events import Aside, BlockDelta, BlockEnd, BlockStart, Event, Frame

from .composer import Composer
from .making import Namespaces
from .overlap import Numbered


class Writer(FrameWriter):
    """Sequence numbers stay as they came as long as they rise.

    The start of a text waits for its first words: an item that a policy emptied was never there."""

    def __init__(self, namespaces: Namespaces | None = None) -> None:
        super().__init__()
        self._composer = Composer(namespaces or {})
        self._last = -1
        self._waiting: list[tuple[Sequence[Event], Numbered | None]] = []

    def untouched(self, events: Sequence[Event], frame: Frame) -> bytes:
        assert isinstance(frame, Numbered)
        only = events[0]
        if len(events) == 1 and isinstance(only, BlockDelta) and not self._waiting:
            if not (self._rises(frame) and self._composer.fits(only)):
                return self._write(events, None)
            self._composer.follow(only)
            self._last = frame.last if frame.last is not None else self._last
            return frame.raw
        return self._put(events, frame)

    def edited(self, event: Event) -> bytes:
        return self._put((event,), None)

    def _put(self, events: Sequence[Event], frame: Numbered | None) -> bytes:
        self._follow(events)
        if self._waiting:
            if all(isinstance(event, Aside) for event in events):
                self._waiting.append((events, frame))
                return b""
            if isinstance(events[0], BlockEnd) and not (frame is not None and frame.blank):
                return self._forget() + (self._put(events[1:], None) if len(events) > 1 else b"")
            if isinstance(events[0], BlockDelta) and not events[0].text and not events[0].source:
                return b""
        out = self._leave()
        last = events[-1]
        if isinstance(last, BlockStart) and last.kind == "text":
            self._waiting.append((events, frame))
            return out
        return out + self._write(events, frame)

    def _follow(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, BlockStart):
                self.open_kind = event.kind
            elif isinstance(event, BlockEnd):
                self.open_kind = ""

    def _leave(self) -> bytes:
        """What waited, now that there is something to say."""
        waiting, self._waiting = self._waiting, []
        return b"".join(self._write(events, frame) for events, frame in waiting)

    def _forget(self) -> bytes:
        """An emptied text was never there; what waited with it is still told."""
        ((*others, _), _), *asides = self._waiting
        self._waiting = []
        out = self._write(others, None) if others else b""
        return out + b"".join(self._write(events, frame) for events, frame in asides)

    def _write(self, events: Sequence[Event], frame: Numbered | None) -> bytes:
        """The frame's bytes, if they still say what is so, else the events made anew."""
        out = b"".join(map(self._numbered, self._composer.closing(events[0])))
        self._composer.exact = True
        steps: list[Json] = []
        for place, event in enumerate(events):
            if place:
                steps += self._composer.closing(event)
            steps += self._composer.compose(event)
        if frame is not None and self._composer.exact and self._rises(frame):
            self._last = frame.last if frame.last is not None else self._last
            return out + frame.raw
        return out + b"".join(map(self._numbered, steps))

    def _rises(self, frame: Numbered) -> bool:
        return frame.first is None or frame.first > self._last

    def _numbered(self, event: Json) -> bytes:
        number = event.get("sequence_number")
        self._last = number if isinstance(number, int) and number > self._last else self._last + 1
        return sse({**event, "sequence_number": self._last}, event["type"])
