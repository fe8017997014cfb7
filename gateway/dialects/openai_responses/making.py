"""Items and parts as they are written: the source's own with what differs, or made whole."""

from __future__ import annotations

import hashlib
from typing import Any

from gateway.dialects.wire_json import Json
from policies.content import UnparsableArguments, parse_arguments
from policies.events import BlockStart

from .items import ARGUMENTS, TEXTS, argument_fields, arguments_text, call_id, call_name

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "mcp_call": "mcp",
}
Namespaces = dict[str, tuple[str, str]]
"""Of tools in a namespace: their qualified name, then namespace and name."""


def source_item(source: Any) -> Json | None:
    """The item that a block came in, as it was announced or as it stands in a whole answer."""
    if not isinstance(source, dict) or "item" not in source:
        return None
    outer: Json = source["item"]
    item: Json = outer.get("item", outer)
    return item


def source_part(source: Any) -> Json:
    """The part of a message that a block came as; empty if it came as none."""
    outer: Json = source.get("part") or {} if isinstance(source, dict) else {}
    part: Json = outer.get("part", outer)
    return part


def opening_item(start: BlockStart, seed: str, namespaces: Namespaces) -> Json | None:
    """The item of a block as it stands in its announcement; None for what cannot be said here."""
    known = source_item(start.source)
    if known is None:
        return _new_item(start, seed, namespaces)
    opened = {**known}
    if "status" in known:
        opened["status"] = "in_progress"
    if known["type"] == "message":
        opened["content"] = []
    elif known["type"] == "reasoning":
        opened.update((name, []) for name in ("summary", "content") if known.get(name))
    elif start.kind == "tool_call":
        opened = {**_without_arguments(opened), **_names(known, start, namespaces)}
    return opened


def opening_part(part: Json) -> Json:
    type_name = part.get("type", "output_text")
    if type_name == "output_text":
        return {**(part or {"type": "output_text", "annotations": []}), "text": ""}
    return {**part, TEXTS[type_name]: ""} if type_name in TEXTS else part


def finished_part(known: Json, opened: Json, text: str) -> Json:
    """A part with its whole text; what the provider said about another text goes."""
    type_name = opened["type"]
    if type_name not in TEXTS:
        return known or opened
    field = TEXTS[type_name]
    if known.get(field) == text:
        return known
    part = {**opened, **known, field: text}
    part.update((name, []) for name in ("annotations", "logprobs") if part.get(name))
    return part


def finished_call(known: Json | None, opened: Json, text: str) -> Json:
    """A tool call with its whole arguments."""
    if known is not None and _same_call(known, opened) and arguments_text(known) == text:
        return known
    item = {**_without_arguments(opened), **({"status": "completed"} if "status" in opened else {})}
    if item["type"] in ARGUMENTS:
        return {**item, ARGUMENTS[item["type"]]: text}
    try:
        return {**item, **parse_arguments(text)}
    except UnparsableArguments:
        return item


def _without_arguments(item: Json) -> Json:
    """A call whose arguments are not judged yet, or are others now: not even its announcement may tell them."""
    if item["type"] in ARGUMENTS:
        return {**item, ARGUMENTS[item["type"]]: ""}
    arguments = argument_fields(item)
    return {name: value for name, value in item.items() if name not in arguments}


def _same_call(known: Json, opened: Json) -> bool:
    return (call_id(known), call_name(known)) == (call_id(opened), call_name(opened))


def _new_item(start: BlockStart, seed: str, namespaces: Namespaces) -> Json | None:
    made: Json
    match start.kind:
        case "text":
            made = {"type": "message", "status": "in_progress", "role": "assistant", "content": []}
        case "thinking":
            made = {"type": "reasoning", "summary": []}
        case "tool_call" if start.executed:
            # The one shape of a call that any provider may have run itself.
            made = {"type": "mcp_call", "server_label": "provider", "name": start.name, "arguments": "", "output": None}
            return {**made, "id": start.id or _id("mcp_call", seed)}
        case "tool_call":
            type_name = "custom_tool_call" if start.custom else "function_call"
            made = {"type": type_name, "status": "in_progress", "call_id": start.id, ARGUMENTS[type_name]: ""}
            made |= _tool_name(start.name, namespaces)
        case _:
            return None
    return {"id": _id(made["type"], seed), **made}


def _names(known: Json, start: BlockStart, namespaces: Namespaces) -> Json:
    """What differs of a call's id and name."""
    names: Json = {}
    if call_id(known) != start.id:
        names["call_id" if "call_id" in known else "id"] = start.id
    if call_name(known) != start.name:
        names |= {"namespace": None} if known.get("namespace") else {}
        names |= _tool_name(start.name, namespaces)
    return names


def _tool_name(name: str, namespaces: Namespaces) -> Json:
    if name not in namespaces:
        return {"name": name}
    namespace, inner = namespaces[name]
    return {"name": inner, "namespace": namespace}


def _id(type_name: str, seed: str) -> str:
    digest = hashlib.blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
    return f"{_PREFIXES[type_name]}_{digest}"
