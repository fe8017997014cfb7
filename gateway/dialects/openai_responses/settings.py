"""What a Responses request asks for beside its content."""

from __future__ import annotations

from typing import Any

from gateway.dialects.fields import (
    objects,
    optional_bool,
    optional_number,
    optional_object,
    optional_string,
    required_string,
    wrong,
)
from gateway.dialects.settings import EFFORTS, Settings, Shape, ToolChoice
from gateway.dialects.wire_json import Json
from gateway.errors import BadRequest
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
    for name, why in _REFUSED.items():
        if source.get(name):
            raise BadRequest(why, param=name)
    choice, allowed = _tool_choice(source.get("tool_choice"))
    effort = optional_string(optional_object(source, "reasoning"), "effort", "reasoning.")
    parallel = source.get("parallel_tool_calls")
    return Settings(
        temperature=optional_number(source, "temperature"),
        top_p=optional_number(source, "top_p"),
        tool_choice=choice,
        allowed=allowed,
        parallel_tool_calls=None if parallel is None else optional_bool(source, "parallel_tool_calls"),
        effort=next((each for each in EFFORTS if each == effort), None),
        shape=_shape(optional_object(optional_object(source, "text"), "format", "text.")),
        user=optional_string(source, "safety_identifier") or optional_string(source, "user"),
        service_tier=optional_string(source, "service_tier"),
        grammars={name: text for tool in objects(source, "tools") for name, text in _grammars(tool)},
        dropped=tuple(f"`{name[:100]}`" for name, value in source.items() if name not in _CARRIED and value),
    )


def _tool_choice(choice: Any) -> tuple[ToolChoice | None, tuple[str, ...]]:
    """The choice, and the only tools that it allows."""
    if choice is None:
        return None, ()
    if choice in ("auto", "none", "required"):
        return ToolChoice(choice), ()
    if not isinstance(choice, dict):
        raise wrong("tool_choice", "auto, none, required or an object")
    if required_string(choice, "type", "tool_choice.") == "allowed_tools":
        mode = ToolChoice("required" if choice.get("mode") == "required" else "auto")
        return mode, tuple(map(_named, objects(choice, "tools", "tool_choice.")))
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
