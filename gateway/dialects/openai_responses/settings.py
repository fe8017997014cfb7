"""What a Responses request asks for beside its content."""

from __future__ import annotations

import dataclasses
from typing import Any

from gateway.dialects.fields import (
    objects,
    optional_object,
    optional_string,
    required_string,
    wrong,
)
from gateway.dialects.openai_options import allowed_mode, read_common, refuse, worded_choice
from gateway.dialects.settings import Settings, Shape, ToolChoice
from gateway.dialects.wire_json import Json
from policies.content import Request

from .items import qualified

_CARRIED = frozenset(
    {
        "model", "input", "instructions", "tools", "stream", "max_output_tokens", "temperature", "top_p",
        "tool_choice", "parallel_tool_calls", "reasoning", "text", "user", "safety_identifier", "service_tier",
    }
)  # fmt: skip
_REFUSED = {
    "background": "This model answers while you wait.",
    "conversation": "This model keeps no conversations: send the whole of it in `input`.",
    "previous_response_id": "This model keeps no responses: send the whole conversation in `input`.",
    "prompt": "This model keeps no prompts.",
    "top_logprobs": "This model tells no probabilities.",
}


def read_settings(request: Request) -> Settings:
    """Raises BadRequest."""
    source: Json = request.source
    refuse(source, _REFUSED)
    choice, allowed = _tool_choice(source.get("tool_choice"))
    effort = optional_string(optional_object(source, "reasoning"), "effort", "reasoning.")
    return dataclasses.replace(
        read_common(source, _CARRIED, effort),
        tool_choice=choice,
        allowed=allowed,
        shape=_shape(optional_object(optional_object(source, "text"), "format", "text.")),
        grammars={name: text for tool in objects(source, "tools") for name, text in _grammars(tool)},
    )


def _tool_choice(choice: Any) -> tuple[ToolChoice | None, tuple[str, ...]]:
    """The choice, and the only tools that it allows."""
    worded = worded_choice(choice)
    if not isinstance(choice, dict):
        return worded, ()
    if required_string(choice, "type", "tool_choice.") == "allowed_tools":
        return allowed_mode(choice), tuple(map(_named, objects(choice, "tools", "tool_choice.")))
    return ToolChoice("tool", _named(choice)), ()


def _named(choice: Json) -> str:
    """The tool that a choice names; a hosted tool has its type for a name."""
    name = optional_string(choice, "name", "tool_choice.") or required_string(choice, "type", "tool_choice.")
    return qualified(optional_string(choice, "namespace", "tool_choice."), name)


def _shape(form: Json) -> Shape | None:
    match form.get("type"):
        case None | "text":
            return None
        case "json_object":
            return Shape()
        case "json_schema":
            return Shape(optional_object(form, "schema", "text.format."), optional_string(form, "name", "text.format."))
    raise wrong("text.format.type", "text, json_object or json_schema")


def _grammars(tool: Json, namespace: str = "") -> list[tuple[str, str]]:
    name = optional_string(tool, "name", "tools.")
    if tool.get("type") == "namespace":
        return [found for inner in objects(tool, "tools", "tools.") for found in _grammars(inner, name)]
    form = tool.get("format")
    text = optional_string(form, "definition", "tools.format.") if isinstance(form, dict) else ""
    return [(qualified(namespace, name), text)] if text else []
