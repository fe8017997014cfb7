"""What an Anthropic request asks for beside its content."""

from __future__ import annotations

from typing import Any

from gateway.dialects.fields import (
    optional_bool,
    optional_integer,
    optional_number,
    optional_object,
    optional_string,
    strings,
    wrong,
)
from gateway.dialects.settings import EFFORTS, Effort, Settings, Shape, ToolChoice
from gateway.dialects.wire_json import Json
from gateway.errors import BadRequest
from policies.content import Request

_CARRIED = frozenset(
    {
        "model", "messages", "system", "tools", "stream", "max_tokens", "temperature", "top_p", "top_k",
        "stop_sequences", "tool_choice", "thinking", "output_config", "output_format", "metadata", "service_tier",
        "cache_control",
    }
)  # fmt: skip
_ELSEWHERE = {"mcp_servers": "servers that the provider asks", "container": "a container at the provider"}


def read_settings(request: Request) -> Settings:
    """Raises BadRequest."""
    source: Json = request.source
    for name, what in _ELSEWHERE.items():
        if source.get(name):
            raise BadRequest(f"`{name}` names {what}; this model's provider has none.", param=name)
    if request.messages and request.messages[-1].role == "assistant":
        raise BadRequest("This model cannot go on with an answer that is begun in the request.", param="messages")
    choice = optional_object(source, "tool_choice")
    thinking, config = optional_object(source, "thinking"), optional_object(source, "output_config")
    effort, budget = _thinking(thinking, config)
    return Settings(
        temperature=optional_number(source, "temperature"),
        top_p=optional_number(source, "top_p"),
        top_k=optional_integer(source, "top_k"),
        stop=tuple(strings(source, "stop_sequences")),
        tool_choice=_tool_choice(choice),
        parallel_tool_calls=False if optional_bool(choice, "disable_parallel_tool_use", "tool_choice.") else None,
        effort=effort,
        budget=budget,
        shape=_shape(source.get("output_format") or config.get("format")),
        user=optional_string(optional_object(source, "metadata"), "user_id", "metadata."),
        service_tier=optional_string(source, "service_tier"),
        dropped=tuple(f"`{name[:100]}`" for name in source if name not in _CARRIED),
    )


def _tool_choice(choice: Json) -> ToolChoice | None:
    match choice.get("type"):
        case None:
            return None
        case "auto" | "none" as mode:
            return ToolChoice(mode)
        case "any":
            return ToolChoice("required")
        case "tool":
            return ToolChoice("tool", optional_string(choice, "name", "tool_choice."))
    raise wrong("tool_choice.type", "auto, any, tool or none")


def _thinking(thinking: Json, config: Json) -> tuple[Effort | None, int | None]:
    """An effort without thinking is about the answer; nothing else says that, and it comes close."""
    effort = optional_string(config, "effort", "output_config.")
    if thinking.get("type") == "disabled":
        return "none", None
    known: Effort | None = next((each for each in EFFORTS if each == effort), None)
    return known, optional_integer(thinking, "budget_tokens") if thinking.get("type") == "enabled" else None


def _shape(form: Any) -> Shape | None:
    if not isinstance(form, dict):
        return None
    if form.get("type") != "json_schema":
        raise wrong("output_config.format.type", "json_schema")
    return Shape(optional_object(form, "schema", "output_config.format."))
