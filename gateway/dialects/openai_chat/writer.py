"""Events to OpenAI's chat stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, assert_never

from gateway.dialects.frames import FrameWriter, sse
from gateway.dialects.wire_json import Json, dumps
from policies.events import Aside, BlockDelta, BlockEnd, BlockStart, End, Event, Failure, Frame, Start

from .chunks import first_choice, narrowed, part_of, travelling
from .pieces import REASONING
from .usage import write_reason, write_usage

DONE = b"data: [DONE]\n\n"


class Writer(FrameWriter):
    """Tool calls are numbered anew from 0 once a policy changed something: clients fail over an index that is missing.

    A blank line is put between texts of which one is ours, because all of them make up one `content`.
    """

    def __init__(self, choices: int, usage_wanted: bool) -> None:
        super().__init__()
        self._choices = choices
        self._usage_wanted = usage_wanted
        self._ended = 0
        self._begin(Start())

    def untouched(self, events: Sequence[Event], frame: Frame) -> bytes:
        if self._changed and self._moves(events):
            return b"".join(self.edited(event) for event in events)
        separator = b""
        for event in events:
            separator += self._follow(event)
        return separator + frame.raw

    def edited(self, event: Event) -> bytes:
        self._changed = True
        match event:
            case BlockDelta():
                return self._follow(event) + self._delta(event)
            case BlockStart():
                self._follow(event)
                return self._call_start(event) if event.kind == "tool_call" else b""
            case Start():
                self._follow(event)
                return self._chunk(event.source, {"role": "assistant", "content": ""})
            case End():
                self._follow(event)
                return self._end(event)
            case BlockEnd():
                return self._follow(event)
            case Failure():
                return failure(event)
            case Aside():
                return sse(event.source) if event.source else b""
            case _:
                assert_never(event)

    def _is_live(self) -> bool:
        """With several choices all has arrived already: they wait for one another."""
        if self._choices == 1:
            return super()._is_live()
        last = self._partial[-1]
        return isinstance(last, Failure) or (isinstance(last, End) and bool(last.source["last"]))

    def _begin(self, start: Start) -> None:
        self._choice = start.choice
        self._envelope = _envelope(start)
        self._index = self._next_index = 0
        self._changed = self._moved = False
        self._legacy = self._custom = False
        self._field = "content"
        self._boundary = Boundary()
        self._mould.clear()

    def _follow(self, event: Event) -> bytes:
        """Take note of an event that is written; the chunk with the blank line, if it must stand before it."""
        match event:
            case BlockDelta():
                if event.text and self.open_kind == "text" and self._boundary.crossed():
                    return self._chunk(None, {self._field: "\n\n"})
            case Start():
                self._begin(event)
            case BlockStart():
                self._open(event)
            case BlockEnd():
                self.open_kind = ""
            case End():
                self._ended += 1
        return b""

    def _open(self, event: BlockStart) -> None:
        part = part_of(event.source)
        self.open_kind = event.kind
        self._mould.clear()
        if event.kind == "text":
            self._field = text_field(part)
            self._boundary.open(self._field, is_ours=not part)
        elif event.kind == "thinking":
            self._field = next((name for name in REASONING if part.get(name)), REASONING[0])
        elif event.kind == "tool_call":
            self._legacy = "function_call" in part
            came_as = _index(event)
            self._index = self._next_index if self._changed or came_as is None else came_as
            self._moved = came_as not in (None, self._index)
            self._next_index = max(self._next_index, self._index + 1)
            self._custom = event.custom

    def _moves(self, events: Sequence[Event]) -> bool:
        """Whether a tool call in the frame gets another index than it came with."""
        moved, place = self._moved and self.open_kind == "tool_call", self._next_index
        for event in events:
            if isinstance(event, BlockStart):
                moved = event.kind == "tool_call" and _index(event) not in (None, place)
                place += event.kind == "tool_call"
            if moved and isinstance(event, BlockStart | BlockDelta):
                return True
        return False

    def _call_start(self, event: BlockStart) -> bytes:
        entry = (part_of(event.source).get("tool_calls") or [{}])[0]
        if self._legacy:
            return self._chunk(event.source, {"function_call": {"name": event.name, "arguments": ""}})
        kind, field = ("custom", "input") if event.custom else ("function", "arguments")
        inner = {**(entry.get(kind) or {}), "name": event.name, field: ""}
        call = {**entry, "index": self._index, "id": event.id, "type": kind, kind: inner}
        return self._chunk(event.source, {"tool_calls": [call]})

    def _delta(self, event: BlockDelta) -> bytes:
        if self.open_kind == "opaque":
            return sse(event.source) if first_choice(event.source) else b""
        if not event.text:
            return b""
        if self.open_kind != "tool_call":
            source = event.source
            return self._mould.write(source, event.text, lambda text: self._chunk(source, {self._field: text}))
        if self._legacy:
            return self._chunk(event.source, {"function_call": {"arguments": event.text}})
        kind, field = ("custom", "input") if self._custom else ("function", "arguments")
        return self._chunk(event.source, {"tool_calls": [{"index": self._index, kind: {field: event.text}}]})

    def _chunk(self, source: Any, part: Json) -> bytes:
        """A chunk that says `part`; with the fields that only travel, but without the odds of words that are gone."""
        choice = first_choice(source)
        if choice is None:
            return sse(self._with_choice({"delta": part, "finish_reason": None}))
        if "logprobs" in choice:
            choice = {**choice, "logprobs": None}
        return sse(narrowed(source, choice, part, travelling(choice.get("delta") or {})))

    def _with_choice(self, choice: Json) -> Json:
        return {**self._envelope, "choices": [{"index": self._choice, **choice}]}

    def _end(self, event: End) -> bytes:
        source = event.source if isinstance(event.source, dict) and "finish" in event.source else {}
        finish = source.get("finish")
        choice = first_choice(finish) or {"delta": {}}
        reason = write_reason(event.stop_reason, source.get("reason", ""), self._legacy)
        chunk = finish if isinstance(finish, dict) else self._envelope
        out = sse({**chunk, "choices": [{"index": self._choice, **choice, "finish_reason": reason}]})
        if not source.get("last", self._ended == self._choices):
            return out
        if self._usage_wanted and not (isinstance(finish, dict) and finish.get("usage")):
            out += sse(source.get("usage") or {**self._envelope, "choices": [], "usage": write_usage(event.usage)})
        return out + DONE


def _index(start: BlockStart) -> int | None:
    """The index that a tool call came with."""
    calls = part_of(start.source).get("tool_calls") or [{}]
    index: int | None = calls[0].get("index")
    return index


class Boundary:
    """Where a text of ours meets another one in the same field."""

    def __init__(self) -> None:
        self._written: dict[str, bool] = {}
        self._field = ""
        self._is_ours = False
        self._is_new = False

    def open(self, field: str, is_ours: bool) -> None:
        self._field, self._is_ours, self._is_new = field, is_ours, True

    def crossed(self) -> bool:
        """To be asked before each text: whether a blank line belongs in front of it."""
        if not self._is_new:
            return False
        self._is_new = False
        before = self._written.get(self._field)
        self._written[self._field] = self._is_ours
        return before is not None and (before or self._is_ours)


def text_field(part: Json) -> str:
    """Whether a text is content or the model's refusal."""
    return "refusal" if part.get("refusal") and not part.get("content") else "content"


def failure(event: Failure) -> bytes:
    source = event.source if isinstance(event.source, dict) and "error" in event.source else None
    made = {"error": {"message": event.message, "type": event.type, "param": None, "code": None}}
    return b"data: " + dumps(source or made) + b"\n\n"


def _envelope(start: Start) -> Json:
    if first_choice(start.source) is not None:
        return {name: value for name, value in start.source.items() if name not in ("choices", "usage")}
    created = int(time.time())
    return {"id": start.id, "object": "chat.completion.chunk", "created": created, "model": start.model}
