"""Anthropic's stream to events."""

from __future__ import annotations

from collections.abc import Callable

from gateway.dialects.frames import FrameReader, share_frame
from gateway.dialects.templates import Template
from gateway.dialects.wire_json import Json, dumps_text, string
from gateway.errors import UpstreamGarbled
from policies.content import BlockKind
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
    StreamTruncated,
)

from .blocks import kind_of
from .interleaved import Interleaved
from .usage import merge_usage, read_usage

_DELTAS: dict[str, tuple[BlockKind, str]] = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("thinking", "signature"),
    "input_json_delta": ("tool_call", "partial_json"),
}
_LIVE = frozenset({"text", "thinking"})
_SPOKEN = frozenset({"text", "thinking", "partial_json"})


class BlankEnd(Frame):
    """The end of a text block that was empty already when it came from the model."""

    __slots__ = ()


class Reader(FrameReader):
    """Not `strict`: what makes no sense travels as an Aside.

    Blocks that interleave are kept until all of them are closed, and then told one after another."""

    def __init__(self, strict: bool = True) -> None:
        super().__init__(strict)
        self._started = False
        self._open: int | None = None
        self._kinds: dict[int, BlockKind] = {}
        self._blank = False
        self._usage: Json = {}
        self._interleaved: Interleaved | None = None
        self._ending: Json | None = None
        self._ending_raw: list[bytes] = []
        self._handlers: dict[str, Callable[[Json, bytes], list[Event]]] = {
            "message_start": self._message_start,
            "content_block_start": self._block_start,
            "content_block_delta": self._block_delta,
            "content_block_stop": self._block_stop,
            "message_delta": self._message_delta,
            "message_stop": self._message_stop,
            "error": self._error,
        }

    def _end(self) -> list[Event]:
        if not self._over:
            raise StreamTruncated
        return []

    def salvage(self) -> list[Event]:
        """Of a stream that was cut: the complete blocks that were still kept back."""
        return self._interleaved.complete() if self._interleaved is not None else []

    def _frame(self, raw: bytes, data: bytes, name: str) -> list[Event]:
        source = self._parse(data)
        if self._strict:
            self._require_clear(source, name)
        return self._handlers.get(source["type"], self._aside)(source, raw)

    def _require_clear(self, source: Json, name: str) -> None:
        """Some clients go by the event's name, read on after the end, or take content from `message_start`."""
        type_name = source["type"]
        _require(name == type_name or name not in self._handlers)
        _require(not self._over or type_name == "ping")
        _require(type_name != "message_start" or not source["message"].get("content"))
        if type_name == "content_block_delta":
            delta = source["delta"]
            own = _DELTAS.get(delta["type"], ("opaque", ""))
            field = own[1] if own[0] == self._kinds[source["index"]] else ""
            _require((len(delta) == 2 and field in delta) or not any(delta.get(name) for name in _SPOKEN - {field}))

    def _message_start(self, source: Json, raw: bytes) -> list[Event]:
        _require(not self._started)
        message = source["message"]
        self._started = True
        self._usage = merge_usage({}, message.get("usage"))
        usage = read_usage(self._usage)
        start = Start(string(message, "id", ""), string(message, "model", ""), usage, frame=Frame(raw), source=source)
        return [start]

    def _block_start(self, source: Json, raw: bytes) -> list[Event]:
        _require(self._started and self._ending is None)
        index = source["index"]
        events = _start_events(source, source["content_block"])
        self._kinds[index] = kind_of(source["content_block"]["type"])
        if self._interleaved is not None or self._open is not None:
            return self._keep(index, events, raw)
        self._open = index
        self._blank = len(events) == 1
        share_frame(events, raw)
        return events

    def _block_delta(self, source: Json, raw: bytes) -> list[Event]:
        index = source["index"]
        event = _delta(self._kinds[index], source, source["delta"])
        if index != self._open:
            return self._keep(index, [event], raw)
        self._blank = False
        event.frame = Frame(raw)
        field = _DELTAS.get(source["delta"]["type"], ("", ""))[1]
        if event.text and field in _LIVE:
            # Behind the object's last member Anthropic puts blanks that hide the text's length.
            noise, tail = (b" ", b"}\n\n") if raw.endswith(b" }\n\n") else (b"", b"")
            self._template = Template.learn(raw, field.encode(), event.text, source, noise, tail)
        return [event]

    def _block_stop(self, source: Json, raw: bytes) -> list[Event]:
        if source["index"] != self._open:
            return self._keep(source["index"], [BlockEnd(source=source)], raw)
        self._open = None
        return [BlockEnd(BlankEnd(raw) if self._blank else Frame(raw), source)]

    def _keep(self, index: int, events: list[Event], raw: bytes) -> list[Event]:
        """Keep what belongs to interleaved blocks; all of it, once the last of them is closed."""
        if self._interleaved is None:
            _require(self._open is not None and isinstance(events[0], BlockStart))
            self._interleaved = Interleaved(self._open)
            self._open = None
        self._interleaved.add(index, events, raw)
        if not self._interleaved.closed:
            return []
        whole = self._interleaved
        self._interleaved = None
        return whole.release()

    def _message_delta(self, source: Json, raw: bytes) -> list[Event]:
        _require(self._started and self._open is None and self._interleaved is None)
        earlier = self._ending or {}
        delta = {**earlier.get("delta", {}), **_not_null(source.get("delta") or {}, earlier.get("delta", {}))}
        usage = merge_usage(earlier.get("usage"), source.get("usage"))
        self._ending = {**earlier, **source, "delta": delta, "usage": usage}
        self._usage = merge_usage(self._usage, usage)
        self._ending_raw.append(raw)
        return []

    def _message_stop(self, source: Json, raw: bytes) -> list[Event]:
        _require(self._started and self._open is None and self._interleaved is None)
        self._over = True
        ending = self._ending or {}
        reason = string(ending.get("delta", {}), "stop_reason", "")
        frame = Frame(b"".join(self._ending_raw) + raw)
        sources = {"message_delta": self._ending, "message_stop": source}
        return [End(reason, read_usage(self._usage), frame, sources)]

    def _error(self, source: Json, raw: bytes) -> list[Event]:
        error = source["error"]
        failure = Failure(string(error, "type", "api_error"), string(error, "message", ""), source=source)
        events: list[Event] = [failure] if self._started else [Start(), failure]
        share_frame(events, b"".join(self._ending_raw) + raw)
        self._over = True
        return events

    def _aside(self, source: Json, raw: bytes) -> list[Event]:
        if self._interleaved is not None:
            self._interleaved.pass_by(raw)
        elif self._ending is not None and not self._over:
            self._ending_raw.append(raw)
        else:
            return [Aside(Frame(raw), source or None)]
        return []


def _start_events(source: Json, block: Json) -> list[Event]:
    """The block's start, and what it already says: compatible servers put whole text or input there."""
    type_name = string(block, "type")
    kind = kind_of(type_name)
    if kind == "tool_call":
        start = BlockStart(kind, string(block, "id"), string(block, "name"), type_name != "tool_use", source=source)
        return _with(start, dumps_text(block["input"]) if block.get("input") else "", source)
    if kind == "opaque":
        return [BlockStart(kind, type=type_name, source=source)]
    start = BlockStart(kind, source=source)
    return _with(start, string(block, kind, ""), source, string(block, "signature", ""))


def _with(start: BlockStart, text: str, source: Json, signature: str = "") -> list[Event]:
    return [start, BlockDelta(text, signature, source=source)] if text or signature else [start]


def _delta(kind: BlockKind, source: Json, delta: Json) -> BlockDelta:
    """A delta must fit its block, or what is judged is not what clients assemble. Unknown ones only travel."""
    type_name = delta["type"]
    fits, field = _DELTAS.get(type_name, ("opaque", ""))
    if not field or kind == "opaque":
        return BlockDelta(source=source)
    _require(fits == kind)
    if field == "signature":
        return BlockDelta("", string(delta, field), source=source)
    return BlockDelta(string(delta, field), source=source)


def _not_null(later: Json, earlier: Json) -> Json:
    return {name: value for name, value in later.items() if value is not None or name not in earlier}


def _require(in_place: bool) -> None:
    if not in_place:
        raise UpstreamGarbled("the provider sent an event out of place")
