"""One output item while it streams: its events to those of the grammar, in the order they come."""

from __future__ import annotations

from collections.abc import Callable

from gateway.dialects.wire_json import Json, string
from policies.content import Text
from policies.events import BlockDelta, BlockEnd, BlockStart, Event, block_events

from .agreement import Spread, require, require_empty, require_foretold, require_known, require_known_part
from .items import (
    TEXTS,
    Place,
    arguments_text,
    call_id,
    call_name,
    is_executed,
    kind_of,
    read_item,
    read_part,
    spoken,
)

_DELTAS = {
    "response.output_text.delta": ("message", "content", "content_index"),
    "response.refusal.delta": ("message", "content", "content_index"),
    "response.reasoning_text.delta": ("reasoning", "content", "content_index"),
    "response.reasoning_summary_text.delta": ("reasoning", "summary", "summary_index"),
    "response.function_call_arguments.delta": ("function_call", "arguments", ""),
    "response.custom_tool_call_input.delta": ("custom_tool_call", "arguments", ""),
    "response.mcp_call_arguments.delta": ("mcp_call", "arguments", ""),
}
"""The item that a delta belongs to, where in it, and the field that says which of several."""
_REPEATS = {
    "response.output_text.done": ("text", "response.output_text.delta"),
    "response.refusal.done": ("refusal", "response.refusal.delta"),
    "response.reasoning_text.done": ("text", "response.reasoning_text.delta"),
    "response.reasoning_summary_text.done": ("text", "response.reasoning_summary_text.delta"),
    "response.function_call_arguments.done": ("arguments", "response.function_call_arguments.delta"),
    "response.custom_tool_call_input.done": ("input", "response.custom_tool_call_input.delta"),
    "response.mcp_call_arguments.done": ("arguments", "response.mcp_call_arguments.delta"),
}
"""Events that say a text again when it is whole, the field that holds it, and the deltas that brought it."""
_TEXT = "response.output_text.delta"
_REFUSAL = "response.refusal.delta"


class OpenItem:
    """Not `strict`: what the item says again when it is whole need not be what its deltas said.

    `blank` says that the block which just ended is a text without any letter."""

    def __init__(self, added: Json, strict: bool) -> None:
        self._source = added
        self._item = added["item"]
        self._strict = strict
        self._kind = kind_of(self._item)
        self._part: int | None = None
        self._part_type = ""
        self._part_types: list[str] = []
        self._part_done: Json | None = None
        self._parts = 0
        self._said: dict[Place, list[str]] = {}
        self._growing: list[str] | None = None
        self._spread = Spread()
        self.blank = False
        self._handlers: dict[str, Callable[[Json], list[Event]]] = {
            "response.content_part.added": self._part_added,
            "response.content_part.done": self._part_ended,
            "response.reasoning_summary_part.added": self._summary_added,
            "response.reasoning_summary_part.done": self._part_ended,
        }

    @property
    def is_for_client(self) -> bool:
        """Whether it is a call that the client has to run."""
        return self._kind == "tool_call" and not is_executed(self._item)

    def is_named(self, event: Json) -> bool:
        """Whether `event` says by its id that it belongs to this item."""
        return bool(event.get("item_id")) and event["item_id"] == self._item.get("id")

    def begin(self) -> list[Event]:
        """A message's block begins with its first part."""
        if self._strict:
            require_empty(self._item)
        source = {"item": self._source}
        match self._kind:
            case "text":
                return []
            case "tool_call":
                item = self._item
                custom = item["type"] == "custom_tool_call"
                return [
                    BlockStart(
                        "tool_call", call_id(item), call_name(item), is_executed(item), custom=custom, source=source
                    )
                ]
            case "opaque":
                return [BlockStart("opaque", type=self._item["type"], source=source)]
            case kind:
                return [BlockStart(kind, source=source)]

    def grow(self, source: Json) -> BlockDelta | None:
        """The usual delta, which adds to the text that the last one added to; None for anything else."""
        if source["type"] != _TEXT or self._growing is None or source.get("content_index") != self._part:
            return None
        text = source.get("delta")
        if type(text) is not str:
            return None
        self._growing.append(text)
        return BlockDelta(text, "", None, source)

    def feed(self, source: Json) -> list[Event]:
        """The events that an event of this item makes; none for what only says again what was said."""
        type_name = source["type"]
        if type_name in _DELTAS:
            return self._delta(type_name, source, string(source, "delta"))
        if type_name in _REPEATS:
            return self._repeat(source, *_REPEATS[type_name])
        if type_name in self._handlers:
            return self._handlers[type_name](source)
        self._spread.add(source)
        return [] if self._kind == "text" and self._part is None else [BlockDelta(source=source)]

    def done(self, source: Json) -> list[Event]:
        """The item is whole: what its deltas did not bring, and its end. Raises KeyError, TypeError."""
        item = source["item"]
        if self._strict:
            self._require_same(item)
        match self._kind:
            case "text":
                return self._message_done(source, item)
            case "thinking":
                events = self._unsaid(spoken(item), source)
                signature = string(item, "encrypted_content", "")
                return [
                    *events,
                    *([BlockDelta("", signature, source=source)] if signature else []),
                    BlockEnd(source=source),
                ]
            case "tool_call":
                texts = spoken(item) or {("arguments", 0): arguments_text(item)}
                return [*self._unsaid(texts, source), BlockEnd(source=source)]
            case _:
                return [BlockEnd(source=source)]

    def _delta(self, type_name: str, source: Json, text: str) -> list[Event]:
        """A text grows. Some servers announce no part, and some do not end one before they say more."""
        owner, field, counter = _DELTAS[type_name]
        require(owner == self._item["type"])
        at = source[counter] if counter else 0
        events: list[Event] = []
        if self._kind == "text":
            part_type = "refusal" if type_name == _REFUSAL else "output_text"
            if at != self._part:
                events = self._begin_part(at, {"type": part_type, TEXTS[part_type]: ""}, None, source)
            require(self._part_type == part_type and self._part_done is None)
        said = self._said.setdefault((field, at), [])
        said.append(text)
        self._growing = said if type_name == _TEXT else None
        return [*events, BlockDelta(text, source=source)]

    def _repeat(self, source: Json, field: str, delta: str) -> list[Event]:
        """A text is said again, or for the first time where a server sends no deltas."""
        self._growing = None
        owner, where, counter = _DELTAS[delta]
        require(owner == self._item["type"])
        text = string(source, field, "")
        if self._strict and self._kind == "tool_call":
            require(source.get("name") in (None, "", self._item.get("name")))
        said = self._said.get((where, source[counter] if counter else 0))
        if said is None:
            return self._delta(delta, source, text) if text else self._passing(source)
        require("".join(said) == text or not self._strict)
        return self._passing(source)

    def _passing(self, source: Json) -> list[Event]:
        """What only repeats: written anew it is made from the whole, but for thinking, which is told as it came."""
        return [BlockDelta(source=source)] if self._kind == "thinking" else []

    def _part_added(self, source: Json) -> list[Event]:
        if self._kind == "thinking":
            return self._summary_added(source)
        require(self._kind == "text")
        return self._begin_part(source["content_index"], source["part"], source, source)

    def _begin_part(self, at: int, part: Json, added: Json | None, source: Json) -> list[Event]:
        """A part opens, as the event `added` said if there was one; the part before it is whole by then."""
        require(at == self._parts)
        if self._strict:
            require_known_part(part)
        events = self._end_part(self._part_done)
        self._growing = None
        block = read_part(part, {"item": self._source, "part": added or part, "at": at})
        self._part, self._part_type, self._part_done = at, part["type"], None
        self._parts += 1
        self._part_types.append(self._part_type)
        events.append(next(iter(block_events(block))))
        if isinstance(block, Text) and block.text:
            self._said[("content", at)] = [block.text]
            events.append(BlockDelta(block.text, source=source))
        return events

    def _part_ended(self, source: Json) -> list[Event]:
        if self._kind == "text":
            require(source["content_index"] == self._part)
            self._part_done = source
            self._growing = None
        if self._strict and (part := source.get("part")):
            self._require_said(source, part)
        return self._passing(source)

    def _require_said(self, source: Json, part: Json) -> None:
        """The part that has ended says what its deltas said."""
        field, counter = ("summary", "summary_index") if "summary_index" in source else ("content", "content_index")
        text = part.get(TEXTS.get(part["type"], "text")) or ""
        require(text == "".join(self._said.get((field, source[counter]), ())))
        if self._kind == "text":
            require(part["type"] == self._part_type)
            require_known_part(part)

    def _end_part(self, source: Json | None) -> list[Event]:
        if self._part is None:
            return []
        self.blank = not any(self._said.get(("content", self._part), ())) and self._part_type in TEXTS
        self._part = None
        return [BlockEnd(source=source)]

    def _summary_added(self, source: Json) -> list[Event]:
        """Between the parts of a reasoning stands a blank line."""
        require(self._kind == "thinking" and not (self._strict and source.get("part", {}).get("text")))
        self._parts += 1
        return [BlockDelta("\n\n" if self._parts > 1 else "", source=source)]

    def _message_done(self, source: Json, item: Json) -> list[Event]:
        events: list[Event] = []
        parts = item.get("content") or []
        if self._part is not None:
            last = parts[self._part] if self._part < len(parts) else {}
            if ("content", self._part) not in self._said and last.get("type") in TEXTS and self._part_type in TEXTS:
                require(last["type"] == self._part_type)
                text = string(last, TEXTS[last["type"]])
                self._said[("content", self._part)] = [text]
                events += [BlockDelta(text, source=source)] if text else []
        for at in range(self._parts, len(parts)):
            events += self._begin_part(at, parts[at], None, source)
        if not self._parts:
            return [
                *events,
                BlockStart("opaque", type="message", source={"item": self._source}),
                BlockEnd(source=source),
            ]
        return events + self._end_part(source)

    def _unsaid(self, texts: dict[Place, str], source: Json) -> list[Event]:
        """What no delta brought."""
        events: list[Event] = []
        for place, text in texts.items():
            if place not in self._said and text:
                before = "\n\n" if self._kind == "thinking" and self._said else ""
                self._said[place] = [text]
                events.append(BlockDelta(before + text, source=source))
        return events

    def _require_same(self, item: Json) -> None:
        """The item is told several times: clients differ in which they believe."""
        require_known(item)
        require(kind_of(item) == self._kind and item["type"] == self._item["type"])
        texts = spoken(item)
        require(all(texts.get(place) == "".join(said) for place, said in self._said.items()))
        if self._kind == "tool_call":
            require(call_id(item) == call_id(self._item) and call_name(item) == call_name(self._item))
            require(is_executed(item) == is_executed(self._item))
            require_foretold(self._item, item, self._said)
            self._spread.require_in(item)
        elif self._kind == "text":
            types = [part["type"] for part in item.get("content") or ()]
            require(types[: self._parts] == self._part_types)


def whole_item(done: Json) -> list[Event]:
    """The events of an item that nothing announced: it comes whole."""
    events: list[Event] = []
    for block in read_item(done["item"], done):
        for event in block_events(block):
            if isinstance(event, BlockDelta):
                if not event.text and not event.signature:
                    continue
                event.source = done
            events.append(event)
    events[-1].source = done
    return events
