"""What a chat request asks for beside its content."""

from __future__ import annotations

from typing import Any

from gateway.dialects.fields import (
    objects,
    optional_bool,
    optional_integer,
    optional_number,
    optional_object,
    optional_string,
    required_string,
    strings,
    wrong,
)
from gateway.dialects.settings import EFFORTS, Settings, Shape, ToolChoice
from gateway.dialects.wire_json import Json
from gateway.errors import BadRequest
from policies.content import Request

_CARRIED = frozenset(
    {
        "model", "messages", "tools", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n",
        "temperature", "top_p", "top_k", "stop", "tool_choice", "parallel_tool_calls", "reasoning_effort",
        "response_format", "user", "safety_identifier", "service_tier",
    }
)  # fmt: skip
_REFUSED = {
    "functions": "Functions are said as `tools` to this model.",
    "function_call": "Function calls are said as `tool_choice` to this model.",
    "audio": "This model does not speak.",
    "logprobs": "This model tells no probabilities.",
    "web_search_options": "This model does not search the web.",
}


def read_settings(request: Request) -> Settings:
    """Raises BadRequest."""
    source: Json = request.source
    for name, why in _REFUSED.items():
        if source.get(name):
            raise BadRequest(why, param=name)
    if "audio" in strings(source, "modalities"):
        raise BadRequest(_REFUSED["audio"], param="modalities")
    if any("function_call" in message.source for message in request.messages if isinstance(message.source, dict)):
        raise BadRequest(_REFUSED["function_call"], param="messages")
    choice, allowed = _tool_choice(source.get("tool_choice"))
    effort = optional_string(source, "reasoning_effort")
    return Settings(
        temperature=optional_number(source, "temperature"),
        top_p=optional_number(source, "top_p"),
        top_k=optional_integer(source, "top_k"),
        stop=(source["stop"],) if isinstance(source.get("stop"), str) else tuple(strings(source, "stop")),
        tool_choice=choice,
        allowed=allowed,
        parallel_tool_calls=None if source.get("parallel_tool_calls") is None else _parallel(source),
        effort=next((each for each in EFFORTS if each == effort), None),
        shape=_shape(optional_object(source, "response_format")),
        user=optional_string(source, "safety_identifier") or optional_string(source, "user"),
        service_tier=optional_string(source, "service_tier"),
        grammars={name: text for tool in objects(source, "tools") for name, text in _grammar(tool)},
        dropped=tuple(f"`{name[:100]}`" for name, value in source.items() if name not in _CARRIED and value),
    )


def _parallel(source: Json) -> bool:
    return optional_bool(source, "parallel_tool_calls")


def _tool_choice(choice: Any) -> tuple[ToolChoice | None, tuple[str, ...]]:
    """The choice, and the only tools that it allows."""
    if choice is None:
        return None, ()
    if choice in ("auto", "none", "required"):
        return ToolChoice(choice), ()
    if not isinstance(choice, dict):
        raise wrong("tool_choice", "auto, none, required or an object")
    type_name = required_string(choice, "type", "tool_choice.")
    inner = optional_object(choice, type_name, "tool_choice.")
    if type_name != "allowed_tools":
        return ToolChoice("tool", required_string(inner, "name", f"tool_choice.{type_name}.")), ()
    named = [optional_object(tool, optional_string(tool, "type")) for tool in objects(inner, "tools", "tool_choice.")]
    mode = ToolChoice("required" if inner.get("mode") == "required" else "auto")
    return mode, tuple(optional_string(tool, "name") for tool in named)


def _shape(form: Json) -> Shape | None:
    match form.get("type"):
        case None | "text":
            return None
        case "json_object":
            return Shape()
        case "json_schema":
            inner = optional_object(form, "json_schema", "response_format.")
            return Shape(optional_object(inner, "schema", "response_format."), optional_string(inner, "name"))
    raise wrong("response_format.type", "text, json_object or json_schema")


def _grammar(tool: Json) -> list[tuple[str, str]]:
    custom = optional_object(tool, "custom", "tools.")
    form = optional_object(custom, "format", "tools.custom.")
    grammar = optional_object(form, "grammar", "tools.custom.format.")
    text = optional_string(grammar, "definition", "tools.custom.format.grammar.")
    return [(optional_string(custom, "name", "tools.custom."), text)] if text else []
