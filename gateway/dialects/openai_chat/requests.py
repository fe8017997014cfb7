"""OpenAI's chat requests to neutral content. System messages stay where they stand, among the messages."""

from __future__ import annotations

from typing import Any

from gateway.dialects.fields import (
    objects,
    optional_bool,
    optional_integer,
    optional_object,
    optional_string,
    required_objects,
    required_string,
    wrong,
)
from gateway.dialects.strict_json import read_object
from gateway.dialects.wire_json import Json
from policies.content import (
    Image,
    Message,
    Opaque,
    Request,
    RequestBlock,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)

from .pieces import REASONING

ROLES: dict[Any, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_FREE_FORMS = (None, "text")


def read_request(body: bytes) -> Request:
    """Raises BadRequest."""
    source = read_object(body)
    model = required_string(source, "model")
    messages = required_objects(source, "messages")
    limit = optional_integer(source, "max_completion_tokens")
    choices = optional_integer(source, "n")
    if choices is not None and choices < 1:
        raise wrong("n", "1 or more")
    return Request(
        model=model,
        messages=tuple(read_message(message, f"messages[{place}].") for place, message in enumerate(messages)),
        tools=tuple(read_tool(tool) for tool in objects(source, "tools") + objects(source, "functions")),
        stream=optional_bool(source, "stream"),
        max_tokens=limit if limit is not None else optional_integer(source, "max_tokens"),
        structured=optional_object(source, "response_format").get("type") not in _FREE_FORMS,
        choices=choices or 1,
        source=source,
    )


def read_message(source: Json, where: str = "") -> Message:
    """Thinking first, then content, then tool calls: the order in which an answer streams."""
    role = source.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise wrong(where + "role", "system, developer, user, assistant, tool or function")
    content = _content(source, where)
    if ROLES[role] == "tool":
        call_id = optional_string(source, "tool_call_id", where) or optional_string(source, "name", where)
        return Message("tool", (ToolResult(call_id, content, source=source),), source=source)
    return Message(ROLES[role], (*_thinking(source), *content, *_calls(source, where)), source=source)


def read_part(source: Json, where: str = "") -> RequestBlock:
    """One part of a message's content; unknown ones are opaque, unless they hold a text."""
    match required_string(source, "type", where):
        case "text":
            return Text(optional_string(source, "text", where), source=source)
        case "refusal":
            return Text(optional_string(source, "refusal", where), source=source)
        case "image_url":
            return _image(optional_string(optional_object(source, "image_url", where), "url", where), source)
        case _ if isinstance(source.get("text"), str):
            return Text(source["text"], source=source)
        case type_name:
            return Opaque(type_name, source=source)


def read_tool(source: Json) -> Tool:
    """A tool, or a legacy function. What is neither a function nor a custom tool runs at the provider."""
    type_name = optional_string(source, "type", "tools.")
    inner = source if "type" not in source else optional_object(source, type_name, "tools.")
    return Tool(
        optional_string(inner, "name", "tools.") or type_name,
        optional_string(inner, "description", "tools."),
        optional_object(inner, "parameters", "tools."),
        executed=type_name not in ("", "function", "custom"),
        custom=type_name == "custom",
        source=source,
    )


def read_call(source: Json, where: str = "") -> ToolCall:
    custom = source.get("type") == "custom"
    inner = optional_object(source, "custom" if custom else "function", where)
    return ToolCall(
        optional_string(source, "id", where),
        optional_string(inner, "name", where),
        optional_string(inner, "input" if custom else "arguments", where),
        custom=custom,
        source=source,
    )


def read_function_call(source: Json, where: str = "") -> ToolCall:
    inner = optional_object(source, "function_call", where)
    name, arguments = optional_string(inner, "name", where), optional_string(inner, "arguments", where)
    return ToolCall("", name, arguments, source={"function_call": inner})


def _content(source: Json, where: str) -> tuple[RequestBlock, ...]:
    content = source.get("content")
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content),) if content else ()
    if not isinstance(content, list):
        raise wrong(where + "content", "a string or a list of parts")
    parts = objects(source, "content", where)
    return tuple(read_part(part, f"{where}content[{place}].") for place, part in enumerate(parts))


def _thinking(source: Json) -> tuple[Thinking, ...]:
    texts = [(name, source[name]) for name in REASONING if isinstance(source.get(name), str)]
    if len({text for _, text in texts if text}) > 1:
        raise wrong(REASONING[1], f"the same as `{REASONING[0]}`")
    return tuple(Thinking(text, source={name: text}) for name, text in texts[:1] if text)


def _calls(source: Json, where: str) -> tuple[ToolCall, ...]:
    calls = [read_call(call, where + "tool_calls.") for call in objects(source, "tool_calls", where)]
    if source.get("function_call"):
        calls.append(read_function_call(source, where))
    return tuple(calls)


def _image(url: str, source: Json) -> Image:
    head, comma, data = url.partition(";base64,")
    if comma and head.startswith("data:"):
        return Image(head.removeprefix("data:"), data, source=source)
    return Image(url=url, source=source)
