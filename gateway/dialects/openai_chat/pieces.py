"""The pieces of a delta: which blocks a chunk speaks of, and what it says of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.dialects.wire_json import Json
from policies.events import BlockStart

REASONING = ("reasoning_content", "reasoning")
MODELLED = frozenset({"role", "content", "refusal", "tool_calls", "function_call", "audio", *REASONING})
"""Fields of a delta or message that stand for blocks; all others only travel."""


@dataclass(slots=True)
class Piece:
    """`key` names the block within its choice. `part` is the delta, as if it had said only this."""

    key: str
    start: BlockStart
    text: str
    part: Json

    @property
    def is_call(self) -> bool:
        return self.start.kind == "tool_call"


class CallKeys:
    """Names the tool calls of one choice. Where a server leaves the index out, an id or a name begins a new call."""

    def __init__(self) -> None:
        self._unnumbered = 0
        self._first: dict[str, BlockStart] = {}

    def key(self, entry: Json, start: BlockStart) -> str:
        """Raises ValueError for a call that changes its id, its name or its kind: clients disagree on which counts."""
        index = entry.get("index")
        if index is None:
            self._unnumbered += bool(start.id or start.name)
        key = f"unnumbered call {self._unnumbered}" if index is None else f"call {_whole(index)}"
        self.agree(key, start)
        return key

    def agree(self, key: str, start: BlockStart) -> None:
        """Raises ValueError if `start` is not of the call that `key` has named before."""
        first = self._first.setdefault(key, start)
        if start.id not in ("", first.id) or start.name not in ("", first.name):
            raise ValueError("a tool call changes its id or name")


def pieces(delta: Json, calls: CallKeys) -> list[Piece]:
    """In the order in which an unstreamed message has them. Raises TypeError where a field has a wrong type."""
    found: list[Piece] = []
    thoughts = {text: name for name in reversed(REASONING) if (text := string(delta.get(name)))}
    if len(thoughts) > 1:
        raise ValueError("reasoning is said in two ways")
    for text, name in thoughts.items():
        found.append(Piece("thinking", BlockStart("thinking"), text, {name: text}))
    for name in ("content", "refusal"):
        if text := string(delta.get(name)):
            found.append(Piece(name, BlockStart("text"), text, {name: text}))
    found += [_call(entry, calls) for entry in delta.get("tool_calls") or ()]
    if function := delta.get("function_call"):
        start = BlockStart("tool_call", name=string(function.get("name")))
        part = {"function_call": function}
        calls.agree("function call", start)
        found.append(Piece("function call", start, string(function.get("arguments")), part))
    if audio := delta.get("audio"):
        found.append(Piece("audio", BlockStart("opaque", type="audio"), "", {"audio": audio}))
    return found


def string(value: Any) -> str:
    """The string, or the empty one for null. Raises TypeError."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _call(entry: Json, calls: CallKeys) -> Piece:
    custom = entry.get("type") == "custom" or "custom" in entry
    if entry.get("function" if custom else "custom") or (custom and entry.get("type", "custom") != "custom"):
        raise ValueError("a tool call of two kinds")
    function = entry.get("custom" if custom else "function") or {}
    call_id, name = string(entry.get("id")), string(function.get("name"))
    start = BlockStart("tool_call", call_id, name, custom=custom)
    text = string(function.get("input" if custom else "arguments"))
    return Piece(calls.key(entry, start), start, text, {"tool_calls": [entry]})


def _whole(index: Any) -> int:
    if not isinstance(index, int):
        raise TypeError("not an integer")
    return index
