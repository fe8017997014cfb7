"""Events to Anthropic's stream. Blocks are numbered as they are written, rising by one from 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from gateway.dialects.frames import FrameWriter, sse
from gateway.dialects.wire_json import Json
from policies.events import (
    Aside,
    BlockDelta,
    BlockEnd,
    BlockStart,
    End,
    Event,
    Failure,
    Frame,
    Start,
)

from .blocks import make_block, own_source
from .reader import BlankEnd
from .usage import write_usage

_FIELDS = {
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "tool_call": ("input_json_delta", "partial_json"),
}


class Writer(FrameWriter):
    """The start of a text block waits for its first text, because an empty text block is refused in the next turn."""

    def __init__(self) -> None:
        super().__init__()
        self._index = -1
        self._waiting: list[bytes] = []

    def untouched(self, events: Sequence[Event], frame: Frame) -> bytes:
        if len(events) == 1 and isinstance(events[0], BlockDelta) and not self._waiting:
            return frame.raw if self._fits(events[0], self._index) else self.edited(events[0])
        if not self._all_fit(events):
            return b"".join(self.edited(event) for event in events)
        for event in events:
            self._follow(event)
        return self._release(events, frame)

    def edited(self, event: Event) -> bytes:
        match event:
            case BlockStart():
                return self._wait(event, self._block_start(event))
            case BlockDelta():
                frames = self._deltas(event)
                return self._leave(frames) if frames else b""
            case BlockEnd():
                return self._block_end(event)
            case Start():
                return sse(_message_start(event), "message_start")
            case End():
                return _end(event)
            case Failure():
                return failure(event)
            case Aside():
                return self._aside(event)
            case _:
                assert_never(event)

    def _fits(self, event: Event, index: int) -> bool:
        return isinstance(event.source, dict) and event.source.get("index") == index

    def _all_fit(self, events: Sequence[Event]) -> bool:
        """Whether the indices that stand in the frame are those that its blocks get now."""
        index = self._index
        for event in events:
            if isinstance(event, BlockStart):
                index += 1
            if isinstance(event, BlockStart | BlockDelta | BlockEnd) and not self._fits(event, index):
                return False
        return True

    def _follow(self, event: Event) -> None:
        if isinstance(event, BlockStart):
            self._index += 1
            self.open_kind = event.kind
            self._mould.clear()
        elif isinstance(event, BlockEnd):
            self.open_kind = ""

    def _release(self, events: Sequence[Event], frame: Frame) -> bytes:
        """The frame's bytes, unless it is the start of a text block or the end of one that lost all its text."""
        first = events[0]
        if isinstance(first, BlockStart) and first.kind == "text" and len(events) == 1:
            self._waiting.append(frame.raw)
            return b""
        if self._waiting and isinstance(first, Aside):
            self._waiting.append(frame.raw)
            return b""
        if self._waiting and isinstance(first, BlockEnd) and not isinstance(frame, BlankEnd):
            return self._forget()
        return self._leave(frame.raw)

    def _wait(self, event: BlockStart, frame: bytes) -> bytes:
        self._waiting.append(frame)
        return b"" if event.kind == "text" else self._leave(b"")

    def _leave(self, frame: bytes) -> bytes:
        """What waited, and then `frame`."""
        if not self._waiting:
            return frame
        waiting, self._waiting = self._waiting, []
        return b"".join(waiting) + frame

    def _forget(self) -> bytes:
        """An emptied block was never there; the pings behind its start are still sent."""
        self._index -= 1
        waiting, self._waiting = self._waiting, []
        return b"".join(waiting[1:])

    def _aside(self, event: Aside) -> bytes:
        frame = sse(event.source, event.source["type"]) if event.source else b""
        if not self._waiting:
            return frame
        self._waiting.append(frame)
        return b""

    def _block_start(self, event: BlockStart) -> bytes:
        self._follow(event)
        source = event.source if isinstance(event.source, dict) else {}
        framed = source.get("type") == "content_block_start"
        outer = source if framed else {"type": "content_block_start"}
        block = _opening(event, source["content_block"] if framed else source)
        return sse({**outer, "index": self._index, "content_block": block}, "content_block_start")

    def _deltas(self, event: BlockDelta) -> bytes:
        source = event.source if isinstance(event.source, dict) else {}
        delta = source["delta"] if source.get("type") == "content_block_delta" else {}
        if self.open_kind == "opaque" or (delta and delta["type"] not in _MODELLED):
            return sse({**source, "index": self._index}, "content_block_delta") if delta else b""
        out = b""
        if event.text:
            type_name, field = _FIELDS[self.open_kind]
            out += self._mould.write(
                event.source, event.text, lambda text: self._delta(source, delta, type_name, field, text)
            )
        if event.signature:
            out += self._delta(source, delta, "signature_delta", "signature", event.signature)
        return out

    def _delta(self, source: Json, delta: Json, type_name: str, field: str, value: str) -> bytes:
        own = delta.get("type") == type_name
        base = {**source, "index": self._index} if own else {"type": "content_block_delta", "index": self._index}
        inner = {**delta, field: value} if own else {"type": type_name, field: value}
        return sse({**base, "delta": inner}, "content_block_delta")

    def _block_end(self, event: BlockEnd) -> bytes:
        self.open_kind = ""
        if self._waiting and not isinstance(event.frame, BlankEnd):
            return self._forget()
        source = event.source if isinstance(event.source, dict) else {}
        known = source if source.get("type") == "content_block_stop" else {"type": "content_block_stop"}
        return self._leave(sse({**known, "index": self._index}, "content_block_stop"))


_MODELLED = {name for name, _ in _FIELDS.values()} | {"signature_delta"}
_EMPTY: dict[str, Json] = {
    "text": {"text": ""},
    "thinking": {"thinking": "", "signature": ""},
    "tool_call": {"input": {}},
    "opaque": {},
}


def _opening(event: BlockStart, source: Json) -> Json:
    """The block as it stands in its start: all that its deltas do not bring."""
    own = own_source(event.kind, event.type, source) or make_block(event.kind, event.type, event.executed)
    if own["type"] == "redacted_thinking":
        return own
    names = {"id": event.id, "name": event.name} if event.kind == "tool_call" else {}
    return {**own, **names, **_EMPTY[event.kind]}


def _message_start(event: Start) -> Json:
    source = event.source if isinstance(event.source, dict) else {}
    outer = source if source.get("type") == "message_start" else {}
    message = outer.get("message") or (source if source.get("type") == "message" else {})
    return {
        "type": "message_start",
        **outer,
        "message": {
            "type": "message",
            "role": "assistant",
            **message,
            "id": event.id,
            "model": event.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": message.get("usage") or write_usage(event.usage),
        },
    }


def _end(event: End) -> bytes:
    source = event.source if isinstance(event.source, dict) else {}
    known = source.get("message_delta")
    delta: Json = known if isinstance(known, dict) else {"type": "message_delta", "delta": {"stop_sequence": None}}
    delta = {**delta, "delta": {**delta.get("delta", {}), "stop_reason": event.stop_reason or None}}
    if not delta.get("usage"):
        delta["usage"] = write_usage(event.usage)
    stop = source.get("message_stop") or {"type": "message_stop"}
    return sse(delta, "message_delta") + sse(stop, "message_stop")


def failure(event: Failure) -> bytes:
    source = event.source if isinstance(event.source, dict) and event.source.get("type") == "error" else None
    return sse(source or {"type": "error", "error": {"type": event.type, "message": event.message}}, "error")
