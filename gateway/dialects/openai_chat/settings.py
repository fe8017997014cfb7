"""What a chat request asks for beside its content."""

from __future__ import annotations

import dataclasses
from typing import Any

from gateway.dialects.fields import (
    objects,
    optional_integer,
    optional_object,
    optional_string,
    required_string,
    strings,
    wrong,
)
from gateway.dialects.openai_options import allowed_mode, read_common, refuse, worded_choice
from gateway.dialects.settings import Settings, Shape, ToolChoice
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
    refuse(source, _REFUSED)
    if "audio" in strings(source, "modalities"):
        raise BadRequest(_REFUSED["audio"], param="modalities")
    if any("function_call" in message.source for message in request.messages if isinstance(message.source, dict)):
        raise BadRequest(_REFUSED["function_call"], param="messages")
    choice, allowed = _tool_choice(source.get("tool_choice"))
    return dataclasses.replace(
        read_common(source, _CARRIED, optional_string(source, "reasoning_effort")),
        top_k=optional_integer(source, "top_k"),
        stop=(source["stop"],) if isinstance(source.get("stop"), str) else tuple(strings(source, "stop")),
        tool_choice=choice,
        allowed=allowed,
        shape=_shape(optional_object(source, "response_format")),
        grammars={name: text for tool in objects(source, "tools") for name, text in _grammar(tool)},
    )


def _tool_choice(choice: Any) -> tuple[ToolChoice | None, tuple[str, ...]]:
    """The choice, and the only tools that it allows."""
    worded = worded_choice(choice)
    if not isinstance(choice, dict):
        return worded, ()
    type_name = required_string(choice, "type", "tool_choice.")
    inner = optional_object(choice, type_name, "tool_choice.")
    if type_name != "allowed_tools":
        return ToolChoice("tool", required_string(inner, "name", f"tool_choice.{type_name}.")), ()
    named = [optional_object(tool, optional_string(tool, "type")) for tool in objects(inner, "tools", "tool_choice.")]
    return allowed_mode(inner), tuple(optional_string(tool, "name") for tool in named)


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
