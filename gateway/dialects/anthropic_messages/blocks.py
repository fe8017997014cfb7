"""Content blocks: Anthropic's JSON to neutral blocks, and back as minimal edits."""

from __future__ import annotations

from typing import Any

from gateway.dialects.wire_json import Json, dumps_text, string
from policies.content import Block, BlockKind, Opaque, Text, Thinking, ToolCall, UnparsableArguments, parse_arguments

_KINDS: dict[str, BlockKind] = {
    "text": "text",
    "thinking": "thinking",
    "redacted_thinking": "thinking",
    "tool_use": "tool_call",
}


def kind_of(type_name: str) -> BlockKind:
    """Calls of tools that the provider runs have a type for each tool; `ToolCall.executed` tells them apart."""
    return "tool_call" if type_name.endswith("_tool_use") else _KINDS.get(type_name, "opaque")


def read_block(source: Json) -> Block:
    """A block of an answer or an assistant message. Raises KeyError or TypeError where it is malformed."""
    type_name = string(source, "type")
    match kind_of(type_name):
        case "text":
            return Text(string(source, "text"), source=source)
        case "thinking":
            return Thinking(string(source, "thinking", ""), string(source, "signature", ""), source=source)
        case "tool_call":
            return ToolCall(
                string(source, "id"),
                string(source, "name"),
                dumps_text(source["input"]),
                executed=type_name != "tool_use",
                source=source,
            )
        case _:
            return Opaque(type_name, source=source)


def write_block(block: Block) -> Json:
    """The JSON of a block: its source where it says the same, else a minimal edit, else made whole."""
    kind: BlockKind = block.kind  # type: ignore[assignment]
    type_name = block.type if isinstance(block, Opaque) else ""
    source = own_source(kind, type_name, block.source)
    if source is not None and _says(source, block):
        return source
    executed = isinstance(block, ToolCall) and block.executed
    return {**(source or make_block(kind, type_name, executed)), **_fields(block)}


def own_source(kind: BlockKind, type_name: str, source: Any) -> Json | None:
    """`source`, if it is a block of this dialect and of that kind; `type_name` matters only for opaque ones."""
    if not isinstance(source, dict) or not isinstance(source.get("type"), str):
        return None
    if kind == "opaque":
        return source if source["type"] == type_name else None
    return source if kind_of(source["type"]) == kind else None


def make_block(kind: BlockKind, type_name: str = "", executed: bool = False) -> Json:
    """A block of ours, as far as it needs no content."""
    match kind:
        case "opaque":
            return {"type": type_name}
        case "tool_call":
            return {"type": "server_tool_use" if executed else "tool_use"}
        case _:
            return {"type": kind}


def input_object(arguments_text: str) -> Json:
    """A tool call's arguments as the object that this dialect wants; what is no object is wrapped in one."""
    try:
        return parse_arguments(arguments_text)
    except UnparsableArguments:
        return {"arguments": arguments_text}


def _says(source: Json, block: Block) -> bool:
    try:
        return read_block(source) == block
    except (KeyError, TypeError):
        return False


def _fields(block: Block) -> dict[str, Any]:
    match block:
        case Text():
            return {"text": block.text}
        case Thinking():
            return {"thinking": block.text, "signature": block.signature}
        case ToolCall():
            return {"id": block.id, "name": block.name, "input": input_object(block.arguments_text)}
        case _:
            return {}
