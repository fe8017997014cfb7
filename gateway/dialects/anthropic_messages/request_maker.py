"""Anthropic's requests from neutral content alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.dialects.settings import Effort, Made, Model, Settings, Shape, ToolChoice
from gateway.dialects.wire_json import Json, dumps
from policies.content import Message, Request, RequestBlock, Text, Thinking, Tool, ToolResult

from .request_writer import write_request_block

_DEFAULT_LENGTH = 8192
_MOST_UNASKED = 32_000
"""Tokens that an answer may have where the client did not say: what the model can, up to this."""
_LEAST_BUDGET = 1024
_BUDGETS: dict[Effort, int] = {
    "minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 24_576, "max": 32_000,
}  # fmt: skip
_EFFORTS: dict[Effort, str] = {"minimal": "low", "low": "low", "medium": "medium", "high": "high",
                               "xhigh": "high", "max": "max"}  # fmt: skip
_TIERS = {"default": "standard_only", "standard_only": "standard_only"}
_GO_ON: Json = {"type": "text", "text": "Continue."}
_JSON_ONLY = "Answer with one JSON object and nothing else."


def make_request(request: Request, settings: Settings, model: Model) -> Made:
    """See `gateway.dialects.portable` for the form of `request`."""
    dropped: list[str] = []
    body: Json = {"model": model.name, "max_tokens": _length(request.max_tokens, model, dropped)}
    body |= _system(request.system, settings.shape)
    body["messages"] = list(_messages(request.messages))
    body |= _tools(request.tools, settings)
    thinking = _thinking(request, settings, model, body["max_tokens"], dropped)
    body |= thinking
    body |= _sampling(settings, bool(thinking.get("thinking") or model.adaptive), dropped)
    if settings.shape is not None and settings.shape.schema is not None:
        shape = {"type": "json_schema", "schema": dict(settings.shape.schema)}
        body["output_config"] = {**body.get("output_config", {}), "format": shape}
    if settings.user:
        body["metadata"] = {"user_id": settings.user}
    if settings.service_tier in _TIERS:
        body["service_tier"] = _TIERS[settings.service_tier]
    if request.stream:
        body["stream"] = True
    if request.tools:
        _mark_for_cache(body)
    return Made(dumps(body), tuple(dropped))


def _length(most: int | None, model: Model, dropped: list[str]) -> int:
    if most is None:
        return min(model.most_output or _DEFAULT_LENGTH, _MOST_UNASKED)
    if model.most_output is not None and most > model.most_output:
        dropped.append(f"`max_tokens` above {model.most_output}")
        return model.most_output
    return most


def _system(system: Sequence[RequestBlock], shape: Shape | None) -> Json:
    """Any JSON object is a shape that nothing here enforces, so it is asked for in words."""
    blocks = [write_request_block(block) for block in system]
    if shape is not None and shape.schema is None:
        blocks.append({"type": "text", "text": _JSON_ONLY})
    return {"system": blocks} if blocks else {}


def _messages(messages: Sequence[Message]) -> Iterator[Json]:
    """Users and assistants in turn, a user first and last: an assistant's last words would count as begun here.

    What the system says further down stays at its place, marked.
    """
    pending: list[Json] = [_GO_ON] if messages[0].role == "assistant" else []
    for message in messages:
        if message.role == "assistant":
            if pending:
                yield {"role": "user", "content": _results_first(pending)}
                pending = []
            yield {"role": "assistant", "content": [write_request_block(block) for block in message.blocks]}
        elif message.role == "system":
            pending += [{"type": "text", "text": f"<system>\n{text}\n</system>"} for text in _texts(message.blocks)]
        else:
            pending += [write_request_block(block) for block in message.blocks]
    yield {"role": "user", "content": _results_first(pending or [_GO_ON])}


def _mark_for_cache(body: Json) -> None:
    """Other dialects cache unasked, this one where it is told to. Who has tools sends the conversation once a step."""
    for blocks in (body.get("system"), body["messages"][-1]["content"]):
        if blocks:
            blocks[-1] = {**blocks[-1], "cache_control": {"type": "ephemeral"}}


def _results_first(blocks: list[Json]) -> list[Json]:
    return sorted(blocks, key=lambda block: block["type"] != "tool_result")


def _texts(blocks: Sequence[RequestBlock]) -> list[str]:
    return [block.text for block in blocks if isinstance(block, Text)]


def _tools(tools: Sequence[Tool], settings: Settings) -> Json:
    if not tools:
        return {}
    fields: Json = {"tools": [_tool(tool) for tool in tools]}
    choice = settings.tool_choice
    alone = {"disable_parallel_tool_use": True} if settings.parallel_tool_calls is False else {}
    if choice is not None and choice.mode == "none":
        fields["tool_choice"] = {"type": "none"}
    elif choice is not None or alone:
        fields["tool_choice"] = {**_tool_choice(choice or ToolChoice("auto")), **alone}
    return fields


def _tool(tool: Tool) -> Json:
    described = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **described, "input_schema": {"type": "object", **tool.schema}}


def _tool_choice(choice: ToolChoice) -> Json:
    if choice.mode == "tool":
        return {"type": "tool", "name": choice.tool}
    return {"type": "any" if choice.mode == "required" else "auto"}


def _thinking(request: Request, settings: Settings, model: Model, most: int, dropped: list[str]) -> Json:
    """Thinking is off where it is not asked for, and where the request as it is would be refused with it."""
    effort, budget = settings.effort, settings.budget
    if (effort is None and budget is None) or effort == "none":
        return {}
    forced = settings.tool_choice is not None and settings.tool_choice.mode in ("required", "tool")
    budget = min(budget or _BUDGETS[effort or "medium"], most - _LEAST_BUDGET)
    if model.reasons is False or forced or _goes_on_without_thinking(request.messages) or budget < _LEAST_BUDGET:
        dropped.append("thinking")
        return {}
    if model.adaptive:
        fields: Json = {"thinking": {"type": "adaptive", "display": "summarized"}}
        return {**fields, "output_config": {"effort": _EFFORTS[effort]}} if effort else fields
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _goes_on_without_thinking(messages: Sequence[Message]) -> bool:
    """Whether the model is in the middle of a turn that it began without signed thinking."""
    if not any(isinstance(block, ToolResult) for block in messages[-1].blocks):
        return False
    turn = next((message for message in reversed(messages) if message.role == "assistant"), None)
    return turn is not None and not isinstance(turn.blocks[0], Thinking)


def _sampling(settings: Settings, own_way: bool, dropped: list[str]) -> Json:
    """A model that thinks is sampled in its `own_way`. Temperatures end at 1 here."""
    fields: Json = {"stop_sequences": [stop for stop in settings.stop if stop.strip()]} if settings.stop else {}
    asked = {"temperature": settings.temperature, "top_p": settings.top_p, "top_k": settings.top_k}
    if settings.temperature is not None and settings.top_p is not None:
        asked["top_p"] = None
        dropped.append("`top_p`")
    for name, value in asked.items():
        if value is not None and own_way:
            dropped.append(f"`{name}`")
        elif value is not None:
            fields[name] = min(value, 1) if name == "temperature" else value
    return fields
