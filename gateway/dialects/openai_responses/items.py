"""Output items: their JSON to neutral blocks.

A message has a block for each of its parts; every other item is one block. A block's source is `{"item": ...}`, and for
a part also `part` and its place `at`: the parts of one message share the very same item, by which they find together.
"""

from __future__ import annotations

from typing import Any

from gateway.dialects.wire_json import Json, dumps_text, string
from policies.content import Block, BlockKind, Opaque, Text, Thinking, ToolCall

Place = tuple[str, int]
"""Where in an item a text stands: `content`, `summary` or `arguments`, and which of them."""

TEXTS = {"output_text": "text", "refusal": "refusal"}
"""Parts of a message that are text, and the field that holds it."""
ARGUMENTS = {
    "function_call": "arguments",
    "custom_tool_call": "input",
    "mcp_call": "arguments",
    "mcp_approval_request": "arguments",
}
"""Calls whose arguments are one text, and the field that holds it."""
_FIELDS: dict[str, tuple[str, ...]] = {
    "apply_patch_call": ("operation",),
    "code_interpreter_call": ("code", "container_id"),
    "computer_call": ("action", "actions"),
    "file_search_call": ("queries",),
    "image_generation_call": ("action", "revised_prompt"),
    "local_shell_call": ("action",),
    "program": ("code",),
    "shell_call": ("action", "environment"),
    "tool_search_call": ("arguments",),
    "web_search_call": ("action",),
}
"""Calls whose arguments are spread over fields. What stands in none of them is not the model's choice."""
_ENVELOPE = frozenset({"id", "type", "call_id", "status"})
_RUN_BY_THE_PROVIDER = frozenset(
    {
        "code_interpreter_call",
        "file_search_call",
        "image_generation_call",
        "mcp_call",
        "program",
        "web_search_call",
    }
)


def kind_of(item: Json) -> BlockKind:
    """What an item is to policies; a message counts as text. A call of a type nobody knows is the client's to run."""
    type_name = string(item, "type")
    if type_name == "message":
        return "text"
    if type_name == "reasoning":
        return "thinking"
    return "tool_call" if type_name.endswith("_call") or type_name in ARGUMENTS or type_name in _FIELDS else "opaque"


def is_executed(item: Json) -> bool:
    """Whether the provider already ran this call."""
    match item["type"]:
        case "tool_search_call":
            return item.get("execution") == "server"
        case "shell_call":
            environment = item.get("environment")
            return isinstance(environment, dict) and environment.get("type") == "container_reference"
        case type_name:
            return type_name in _RUN_BY_THE_PROVIDER


def call_id(item: Json) -> str:
    return string(item, "call_id", "") or string(item, "id", "")


def call_name(item: Json) -> str:
    """The tool's name, with the namespace that it stands in; a call without a name has its type for one."""
    name = string(item, "name", "") or str(item["type"]).removesuffix("_call")
    return qualified(string(item, "namespace", ""), name)


def qualified(namespace: str, name: str) -> str:
    """One name for a tool in a namespace, as other dialects have it: `mcp__files__read`."""
    if not namespace:
        return name
    return namespace + name if namespace.endswith("__") else f"{namespace}__{name}"


def argument_fields(item: Json) -> Json:
    """Of a call whose arguments are no text: the fields that are its arguments."""
    names = _FIELDS.get(item["type"])
    if names is None:
        return {name: value for name, value in item.items() if name not in _ENVELOPE}
    return {name: item[name] for name in names if item.get(name) is not None}


def arguments_text(item: Json) -> str:
    field = ARGUMENTS.get(item["type"])
    return string(item, field, "") if field is not None else dumps_text(argument_fields(item))


def spoken(item: Json) -> dict[Place, str]:
    """All texts of an item that deltas bring, by their place. Raises KeyError, TypeError."""
    match kind_of(item):
        case "text":
            parts = enumerate(item.get("content") or ())
            return {("content", at): string(part, TEXTS[part["type"]]) for at, part in parts if part["type"] in TEXTS}
        case "thinking":
            places = [(field, at, part) for field in ("content", "summary") for at, part in _parts(item, field)]
            return {(field, at): string(part, "text") for field, at, part in places if "text" in part}
        case "tool_call" if item["type"] in ARGUMENTS:
            return {("arguments", 0): arguments_text(item)}
        case _:
            return {}


def read_item(item: Json, source: Json | None = None) -> list[Block]:
    """The blocks of a whole item; `source` stands for it in theirs. Raises KeyError, TypeError."""
    source = item if source is None else source
    match kind_of(item):
        case "text" if item.get("content"):
            parts = enumerate(item["content"])
            return [read_part(part, {"item": source, "part": part, "at": at}) for at, part in parts]
        case "thinking":
            text = "\n\n".join(spoken(item).values())
            return [Thinking(text, string(item, "encrypted_content", ""), source={"item": source})]
        case "tool_call":
            return [_call(item, {"item": source})]
        case _:
            return [Opaque(item["type"], source={"item": source})]


def read_part(part: Json, source: Any = None) -> Block:
    """A part of a message."""
    type_name = string(part, "type")
    if type_name in TEXTS:
        return Text(string(part, TEXTS[type_name], ""), source=source)
    return Opaque(type_name, source=source)


def _parts(item: Json, field: str) -> list[tuple[int, Json]]:
    return list(enumerate(item.get(field) or ()))


def _call(item: Json, source: Any) -> ToolCall:
    return ToolCall(
        call_id(item),
        call_name(item),
        arguments_text(item),
        executed=is_executed(item),
        custom=item["type"] == "custom_tool_call",
        source=source,
    )
