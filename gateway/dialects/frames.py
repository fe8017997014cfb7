"""What readers and writers of streams share: a frame whose events all come unchanged is written as its own bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from gateway.errors import UpstreamGarbled
from policies.events import BlockDelta, BlockStart, End, Event, Failure, Frame, StreamTruncated

from .sse import FrameSplitter
from .templates import Mould, Template
from .unambiguous import event_name, unambiguous_object
from .wire_json import Json, dumps, loads_object

_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What reading JSON of another shape than expected comes to."""


class FrameReader(ABC):
    """Cuts the chunks of a stream into frames; a dialect says what each of them means, and sets `_over` at the end.

    Not `strict`: what makes no sense travels as an Aside. A dialect may leave a `_template` for the frame that follows.
    """

    def __init__(self, strict: bool) -> None:
        self._strict = strict
        self._over = False
        self._template: Template | None = None
        self._splitter = FrameSplitter()

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes. Raises UpstreamGarbled."""
        # Mostly a read brings one frame, and one of the usual shape.
        template = self._template if self._splitter.is_empty and chunk.endswith(b"\n\n") else None
        if template is not None and (delta := template.read(chunk)) is not None:
            return [delta]
        events: list[Event] = []
        for raw, data in self._splitter.feed(chunk):
            events += self._events(raw, data)
        return events

    def close(self) -> list[Event]:
        """What the last frame brings. Raises StreamTruncated if the answer has not ended."""
        events: list[Event] = []
        try:
            for raw, data in self._splitter.close():
                events += self._events(raw, data)
        except UpstreamGarbled as error:
            raise StreamTruncated from error
        return events + self._end()

    def _events(self, raw: bytes, data: bytes | None) -> list[Event]:
        template, self._template = self._template, None
        if template is not None and (delta := template.read(raw)) is not None:
            self._template = template
            return [delta]
        try:
            return self._read(raw, data.strip() if data is not None else b"")
        except UpstreamGarbled:
            if self._strict:
                raise
        except _MALFORMED as error:
            if self._strict:
                raise UpstreamGarbled("the provider sent an event that is malformed or out of place") from error
        return self._aside({}, raw)

    def _read(self, raw: bytes, data: bytes) -> list[Event]:
        name = event_name(raw) if self._strict else b""
        if not data or (self._over and (not self._strict or data == b"[DONE]")):
            return self._aside({}, raw)
        return self._frame(raw, data, name.decode("latin-1"))

    def _parse(self, data: bytes) -> Json:
        """Raises UpstreamGarbled."""
        return unambiguous_object(data) if self._strict else loads_object(data)

    @abstractmethod
    def _frame(self, raw: bytes, data: bytes, name: str) -> list[Event]:
        """The events of a frame with `data`; `name` is its event's, where that matters. Raises UpstreamGarbled."""

    @abstractmethod
    def _aside(self, source: Json, raw: bytes) -> list[Event]:
        """What says nothing of the answer, in its place."""

    @abstractmethod
    def _end(self) -> list[Event]:
        """Nothing more comes: what that completes. Raises StreamTruncated if the answer has not ended."""


class FrameWriter(ABC):
    """Sorts events into whole frames and single events; a dialect says how to write each.

    The beginning of a frame waits for its rest, also from one `write` to the next, unless it holds live text. A dialect
    that writes deltas by the `_mould` clears it with each block.
    """

    def __init__(self) -> None:
        self._partial: list[Event] = []
        self._mould = Mould()
        self.open_kind = ""

    def write(self, events: Sequence[Event]) -> bytes:
        """The bytes of `events`, whole frames only; a frame whose events all came unchanged is its own bytes."""
        if len(events) == 1 and not self._partial and (usual := self._mould.again(events[0])):
            return usual
        out: list[bytes] = []
        for event in events:
            frame = event.frame
            if self._partial and frame is not self._partial[0].frame:
                self._flush(out)
            if frame is None:
                out.append(self.edited(event))
            elif frame.size == 1:
                out.append(self.untouched((event,), frame))
            else:
                self._join(event, frame, out)
        if self._partial and self._is_live():
            self._flush(out)
        return b"".join(out)

    @abstractmethod
    def untouched(self, events: Sequence[Event], frame: Frame) -> bytes:
        """The bytes of a frame all of whose events came."""

    @abstractmethod
    def edited(self, event: Event) -> bytes:
        """The bytes of an event that has no frame, or whose frame's other events did not come."""

    def _join(self, event: Event, frame: Frame, out: list[bytes]) -> None:
        if any(event is other for other in self._partial[-1:]):
            self._flush(out)
        self._partial.append(event)
        if len(self._partial) == frame.size:
            events, self._partial = self._partial, []
            out.append(self.untouched(events, frame))

    def _flush(self, out: list[bytes]) -> None:
        events, self._partial = self._partial, []
        out.extend(self.edited(event) for event in events)

    def _is_live(self) -> bool:
        """Whether a client waits for text in the frame that is not whole yet, or the frame can never be whole."""
        kind = self.open_kind
        for event in self._partial:
            if isinstance(event, End | Failure):
                return True
            if isinstance(event, BlockStart):
                kind = event.kind
            elif isinstance(event, BlockDelta) and event.text and kind != "tool_call":
                return True
        return False


def share_frame(events: Sequence[Event], raw: bytes) -> None:
    """Make `events` those of one frame with the bytes `raw`."""
    frame = Frame(raw, len(events))
    for event in events:
        event.frame = frame


def is_one_frame(events: Sequence[Event]) -> Frame | None:
    """The frame of which `events` are all, unchanged; None if they are anything else."""
    frame = events[0].frame if events else None
    if frame is None or frame.size != len(events):
        return None
    whole = all(event.frame is frame for event in events) and len({id(event) for event in events}) == frame.size
    return frame if whole else None


def sse(data: Json, event: str = "") -> bytes:
    """A frame of one event, with a name where the dialect names its events."""
    name = b"event: " + event.encode() + b"\n" if event else b""
    return name + b"data: " + dumps(data) + b"\n\n"
