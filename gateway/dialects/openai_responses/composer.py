"""Events to the wire events of a response and to its whole output, both from one account of what was said."""

from __future__ import annotations

from typing import Any, assert_never

from gateway.dialects.wire_json import Json
from policies.content import BlockKind
from policies.events import Aside, BlockDelta, BlockEnd, BlockStart, End, Event, Failure, Start

from .envelope import Envelope, end_event
from .errors import failure_events
from .items import ARGUMENTS, TEXTS
from .making import Namespaces, finished_call, finished_part, opening_item, opening_part, source_part

_TEXT_EVENTS = {"output_text": "response.output_text", "refusal": "response.refusal"}
_ARGUMENT_EVENTS = {
    "function_call": "response.function_call_arguments",
    "custom_tool_call": "response.custom_tool_call_input",
    "mcp_call": "response.mcp_call_arguments",
}
_SUMMARY = "response.reasoning_summary"


class _Item:
    """The item that is being written. `opened` is as announced; `source` tells parts of one message from another's."""

    def __init__(self, kind: BlockKind, opened: Json, source: Any) -> None:
        self.kind = kind
        self.opened = opened
        self.source = source
        self.parts: list[Json] = []
        self.part: Json = {}
        self.came_at: int | None = None
        self.text: list[str] = []
        self.signature = ""
        self.summarising = False

    @property
    def is_message(self) -> bool:
        return bool(self.opened["type"] == "message")


class Composer:
    """`exact` falls when what is written differs from the source of an event; whoever reads it sets it again."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._item: _Item | None = None
        self._output: list[Json] = []
        self._envelope = Envelope()
        self.exact = True
        self.response: Json = {}

    def compose(self, event: Event) -> list[Json]:
        """The wire events for `event`, without their sequence numbers."""
        match event:
            case BlockDelta():
                return self._delta(event)
            case BlockStart():
                return self._start_block(event)
            case BlockEnd():
                return self._end_block(event)
            case Start():
                return self._start(event)
            case End():
                return self._end(event)
            case Failure():
                return self._failure(event)
            case Aside():
                return [event.source] if event.source else []
            case _:
                assert_never(event)

    def closing(self, event: Event) -> list[Json]:
        """What must be written before `event`: the end of a message that has no further part."""
        item = self._item
        if item is None or not item.is_message or item.part or isinstance(event, Aside | Failure):
            return []
        if isinstance(event, BlockStart) and self._continues(item, event):
            return []
        return self._finish({**item.opened, "content": item.parts, "status": "completed"})

    def fits(self, event: BlockDelta) -> bool:
        """Whether a delta, and nothing but it, is what its own bytes say."""
        return bool(self._item) and self._same_place(event.source)

    def follow(self, event: BlockDelta) -> None:
        """Take note of a delta that is written as its own bytes."""
        assert self._item is not None
        self._item.text.append(event.text)
        self._item.signature += event.signature

    def _start(self, event: Start) -> list[Json]:
        self._envelope = Envelope(event)
        return self._envelope.begun()

    def _continues(self, item: _Item, event: BlockStart) -> bool:
        source = event.source
        return isinstance(source, dict) and "part" in source and source["item"] is item.source

    def _start_block(self, event: BlockStart) -> list[Json]:
        item = self._item
        if item is not None and self._continues(item, event):
            return self._start_part(item, event)
        opened = opening_item(event, f"{self._envelope.id}/{len(self._output)}", self._namespaces)
        if opened is None:
            return []
        source = event.source.get("item") if isinstance(event.source, dict) else None
        item = self._item = _Item(event.kind, opened, source)
        added = _base(source, "response.output_item.added")
        self.exact &= self._same_place(source)
        steps = [{**added, "output_index": len(self._output), "item": opened}]
        return steps + self._start_part(item, event) if item.is_message else steps

    def _start_part(self, item: _Item, event: BlockStart) -> list[Json]:
        source = event.source.get("part") if isinstance(event.source, dict) else None
        if event.kind == "opaque" and source is None:
            return []  # a message without parts
        item.part = opening_part(source_part(event.source))
        item.text = []
        item.came_at = event.source["at"] if isinstance(event.source, dict) and "at" in event.source else None
        self.exact &= self._same_place(source)
        added = _base(source, "response.content_part.added")
        return [self._placed({**added, "part": item.part})]

    def _placed(self, event: Json) -> Json:
        """The event with the place that its item and its part have now."""
        assert self._item is not None
        event = {**event, "item_id": self._item.opened.get("id"), "output_index": len(self._output)}
        return {**event, "content_index": len(self._item.parts)} if self._item.part else event

    def _same_place(self, source: Any) -> bool:
        """Whether a wire event names the place where the item and the part are now; a whole answer names none."""
        if not isinstance(source, dict) or source.get("output_index", len(self._output)) != len(self._output):
            return False
        parts = len(self._item.parts) if self._item is not None and self._item.part else None
        return parts is None or source.get("content_index", parts) == parts

    def _delta(self, event: BlockDelta) -> list[Json]:
        item = self._item
        if item is None:
            return []
        own: Json = event.source if isinstance(event.source, dict) else {}
        type_name = own.get("type", "")
        self.exact &= self._same_place(event.source)
        item.text.append(event.text)
        item.signature += event.signature
        if item.kind == "thinking":
            return self._thought(item, event, own)
        delta = self._delta_type(item)
        if event.text:
            if not delta:
                return []
            kept = {**own, "logprobs": []} if own.get("delta") != event.text and "logprobs" in own else own
            base = kept if type_name == delta else {"type": delta, **({"logprobs": []} if item.part else {})}
            return [self._placed({**base, "delta": event.text})]
        return [self._placed(own)] if type_name and not type_name.endswith("item.done") else []

    def _delta_type(self, item: _Item) -> str:
        names = (_TEXT_EVENTS.get(item.part["type"]) if item.part else _ARGUMENT_EVENTS.get(item.opened["type"])) or ""
        return f"{names}.delta" if names else ""

    def _thought(self, item: _Item, event: BlockDelta, own: Json) -> list[Json]:
        """Thinking is nobody's to edit: where it came as this dialect, it is told as it came."""
        if own.get("type"):
            return [] if own["type"].endswith("item.done") else [self._placed(own)]
        if not event.text:
            return []
        steps: list[Json] = []
        if not item.summarising:
            item.summarising = True
            empty = {"type": "summary_text", "text": ""}
            steps = [self._placed({"type": f"{_SUMMARY}_part.added", "summary_index": 0, "part": empty})]
        return [*steps, self._placed({"type": f"{_SUMMARY}_text.delta", "summary_index": 0, "delta": event.text})]

    def _end_block(self, event: BlockEnd) -> list[Json]:
        item = self._item
        if item is None:
            return []
        own: Json = event.source if isinstance(event.source, dict) else {}
        closes = own.get("type") == "response.output_item.done"
        known: Json | None = own["item"] if closes else None
        self.exact &= self._same_place(event.source)
        text = "".join(item.text)
        if item.part:
            steps = self._end_part(item, own, text)
            if not closes and item.source is not None:
                return steps  # another part may follow
            message = self._message(item, known)
            self.exact &= message is known
            return steps + self._finish(message)
        match item.kind:
            case "thinking":
                return self._end_thought(item, known, text)
            case "tool_call":
                return self._end_call(item, known, text)
            case _:
                return self._finish(known or {**item.opened, **_completed(item.opened)})

    def _end_part(self, item: _Item, own: Json, text: str) -> list[Json]:
        known = _known_part(own, item.came_at)
        part = finished_part(known, item.part, text)
        self.exact &= part is known
        steps = [self._placed({"type": "response.content_part.done", "part": part})]
        if part["type"] in TEXTS:
            field = TEXTS[part["type"]]
            done = {"type": f"{_TEXT_EVENTS[part['type']]}.done", field: text}
            steps.insert(0, self._placed({**done, "logprobs": part.get("logprobs") or []}))
        item.parts.append(part)
        item.part = {}
        return steps

    def _message(self, item: _Item, known: Json | None) -> Json:
        if known is not None and known.get("content") == item.parts:
            return known
        return {**(known or {**item.opened, "status": "completed"}), "content": item.parts}

    def _end_call(self, item: _Item, known: Json | None, text: str) -> list[Json]:
        opened = item.opened
        done = finished_call(known, opened, text)
        self.exact &= done is known
        field, names = ARGUMENTS.get(opened["type"]), _ARGUMENT_EVENTS.get(opened["type"])
        steps = [self._placed({"type": f"{names}.done", field: text})] if names and field else []
        if names == "response.function_call_arguments":
            steps[0]["name"] = done["name"]
        return steps + self._finish(done)

    def _end_thought(self, item: _Item, known: Json | None, text: str) -> list[Json]:
        if known is not None:
            return self._finish(known)
        done = {
            **item.opened,
            **_completed(item.opened),
            "summary": [{"type": "summary_text", "text": text}] if text else [],
        }
        if item.signature:
            done["encrypted_content"] = item.signature
        if not item.summarising:
            return self._finish(done)
        place = {"summary_index": 0}
        return [
            self._placed({"type": f"{_SUMMARY}_text.done", **place, "text": text}),
            self._placed({"type": f"{_SUMMARY}_part.done", **place, "part": done["summary"][0]}),
            *self._finish(done),
        ]

    def _finish(self, item: Json) -> list[Json]:
        step = {"type": "response.output_item.done", "output_index": len(self._output), "item": item}
        self._output.append(item)
        self._item = None
        return [step]

    def _end(self, event: End) -> list[Json]:
        told: list[Json] = event.source["items"] if end_event(event) else []
        same = len(told) == len(self._output) and all(a is b for a, b in zip(told, self._output, strict=True))
        self.exact &= same and bool(end_event(event))
        step = self._envelope.ended(event, self._output)
        self.response = step["response"]
        return [step]

    def _failure(self, event: Failure) -> list[Json]:
        if isinstance(event.source, dict) and event.source.get("type") in ("error", "response.failed"):
            return [event.source]
        return failure_events(event.type, event.message, self._envelope.id, self._envelope.model)


def _known_part(own: Json, came_at: int | None) -> Json:
    """The part as the end of it, or of its item, has it."""
    if own.get("type") != "response.output_item.done":
        return own.get("part") or {}
    parts = own["item"].get("content") or ()
    return parts[came_at] if came_at is not None and came_at < len(parts) else {}


def _completed(item: Json) -> Json:
    return {"status": "completed"} if "status" in item else {}


def _base(source: Any, type_name: str) -> Json:
    """The wire event that a source is, if it is of that type, else the beginning of one."""
    return source if isinstance(source, dict) and source.get("type") == type_name else {"type": type_name}
