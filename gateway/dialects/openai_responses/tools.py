"""Tools that a request offers, also those that stand in a namespace: read, and written back where they came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from gateway.dialects.fields import objects, optional_object, optional_string, source_of
from gateway.dialects.wire_json import Json
from policies.content import Request, Tool

from .items import qualified
from .making import Namespaces

_RUN_BY_THE_CLIENT = frozenset({"function", "custom", "local_shell", "apply_patch", "computer", "computer_use_preview"})


def read_tools(source: Json) -> tuple[Tool, ...]:
    """All tools, those in a namespace one by one under their qualified name. Raises BadRequest."""
    return tuple(tool for outer in objects(source, "tools") for tool in _read(outer))


def namespaces(request: Request) -> Namespaces:
    """Where the tools of `request` that stand in a namespace came from."""
    found: Namespaces = {}
    for tool in request.tools:
        source = source_of(tool) or {}
        if "namespace" in source and "tool" in source:
            found[tool.name] = (source["namespace"]["name"], source["tool"]["name"])
    return found


def write_tools(tools: Iterable[Tool]) -> list[Json]:
    """Tools that came in one namespace stand in one again."""
    written: list[Json] = []
    namespace: Any = None
    for tool in tools:
        source = source_of(tool) or {}
        if "tool" not in source:
            written.append(_tool(tool))
            namespace = None
            continue
        if source["namespace"] is not namespace:
            namespace = source["namespace"]
            written.append({**namespace, "tools": []})
        written[-1]["tools"].append(_inner(tool, source))
    return written


def possible(choice: Any, tools: Sequence[Tool]) -> bool:
    """Whether every tool that a `tool_choice` speaks of is still there."""
    if not tools:
        return choice in (None, "none", "auto")
    if not isinstance(choice, dict):
        return True
    named = choice["tools"] if isinstance(choice.get("tools"), list) else [choice]
    names = {tool.name for tool in tools} | {(source_of(tool) or {}).get("type") for tool in tools}
    return all(_name(each) in names for each in named if isinstance(each, dict))


def _name(choice: Json) -> Any:
    """The name that a choice, or an entry of one, gives a tool; a hosted tool has its type for one."""
    name = choice.get("name")
    return qualified(choice.get("namespace") or "", name) if isinstance(name, str) else choice.get("type")


def _read(source: Json) -> Iterable[Tool]:
    type_name = optional_string(source, "type", "tools.")
    if type_name != "namespace":
        yield _read_one(source, type_name)
        return
    name = optional_string(source, "name", "tools.")
    for inner in objects(source, "tools", "tools."):
        tool = _read_one(inner, optional_string(inner, "type", "tools.tools."))
        both = {"namespace": source, "tool": inner}
        yield replace(tool, name=qualified(name, tool.name), source=both)


def _read_one(source: Json, type_name: str) -> Tool:
    return Tool(
        optional_string(source, "name", "tools.") or type_name,
        optional_string(source, "description", "tools."),
        optional_object(source, "parameters", "tools."),
        executed=not _is_client_run(source, type_name),
        custom=type_name == "custom",
        source=source,
    )


def _is_client_run(source: Json, type_name: str) -> bool:
    if type_name == "shell":
        return optional_object(source, "environment", "tools.").get("type") in (None, "local")
    if type_name == "tool_search":
        return source.get("execution") == "client"
    return type_name in _RUN_BY_THE_CLIENT


def _tool(tool: Tool) -> Json:
    source = source_of(tool)
    if source is not None and list(_read(source)) == [tool]:
        return source
    if source is None:
        # Without this the provider would change schemas to its strict kind.
        return {
            "type": "custom" if tool.custom else "function",
            **_fields(tool),
            **({} if tool.custom else {"strict": False}),
        }
    return {**source, **_fields(tool, source)}


def _inner(tool: Tool, source: Json) -> Json:
    inner: Json = source["tool"]
    known = next(iter(_read({**source["namespace"], "tools": [inner]})))
    if known == tool:
        return inner
    changed = _fields(tool, inner)
    return {**inner, **changed, "name": inner["name"] if tool.name == known.name else tool.name}


def _fields(tool: Tool, source: Json | None = None) -> Json:
    fields: Json = {"name": tool.name}
    if tool.description or (source and "description" in source):
        fields["description"] = tool.description
    if not tool.custom and (source is None or source.get("type") == "function"):
        fields["parameters"] = dict(tool.schema) or {"type": "object", "properties": {}}
    return fields
