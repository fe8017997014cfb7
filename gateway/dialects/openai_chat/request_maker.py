"""Chat requests from neutral content alone, as providers of every kind understand them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway.dialects.fields import wrong
from gateway.dialects.openai_options import effort_of, most_output, sampling, whose
from gateway.dialects.settings import Made, Model, Settings, Shape, ToolChoice
from gateway.dialects.wire_json import Json, dumps
from policies.content import Image, Message, Request, RequestBlock, Text, Thinking, Tool, ToolCall, ToolResult

from .answers import write_call
from .pieces import REASONING

_MOST_STOPS = 4


def make_request(request: Request, settings: Settings, model: Model) -> Made:
    """Raises BadRequest. See `gateway.dialects.portable` for the form of `request`."""
    dropped: list[str] = []
    body: Json = {"model": model.name, "messages": list(_messages(request))}
    body |= _length(request.max_tokens, model, dropped)
    body |= _stops(settings) | sampling(settings, model, dropped)
    body |= _tools(request.tools, settings)
    body |= _thinking(settings, model, dropped)
    if settings.shape is not None:
        body["response_format"] = _response_format(settings.shape)
    body |= whose(settings, "user")
    if request.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return Made(dumps(body), tuple(dropped))


def _messages(request: Request) -> Iterator[Json]:
    if request.system:
        yield {"role": "system", "content": _joined(request.system)}
    turn = _this_turn(request.messages)
    for place, message in enumerate(request.messages):
        match message.role:
            case "assistant":
                yield _assistant(message.blocks, with_thinking=place >= turn)
            case "system":
                yield {"role": "system", "content": _joined(message.blocks)}
            case _:
                yield from _user(message.blocks)


def _this_turn(messages: Sequence[Message]) -> int:
    """Where the last turn begins: some providers want their thinking back within a turn, and none wants it later."""
    asked = (
        place
        for place, message in enumerate(messages)
        if message.role == "user" and any(not isinstance(block, ToolResult) for block in message.blocks)
    )
    return max(asked, default=0)


def _assistant(blocks: Sequence[RequestBlock], with_thinking: bool) -> Json:
    message: Json = {"role": "assistant", "content": _joined(blocks) or None}
    calls = [write_call(block, {}) for block in blocks if isinstance(block, ToolCall)]
    thoughts = "\n".join(block.text for block in blocks if isinstance(block, Thinking))
    if thoughts and with_thinking:
        message[REASONING[0]] = thoughts
    if calls:
        message["tool_calls"] = [_with_arguments(call) for call in calls]
    return message


def _with_arguments(call: Json) -> Json:
    """Empty arguments are written out: not every provider takes an empty string."""
    if "function" in call and not call["function"]["arguments"].strip():
        return {**call, "function": {**call["function"], "arguments": "{}"}}
    return call


def _user(blocks: Sequence[RequestBlock]) -> Iterator[Json]:
    """A message for each result, and one for all else; images of results go there, because results are only text."""
    parts: list[Json] = []
    for block in blocks:
        if isinstance(block, ToolResult):
            images = [_part(inner) for inner in block.blocks if isinstance(inner, Image)]
            yield {"role": "tool", "tool_call_id": block.tool_call_id, "content": _result(block, bool(images))}
            if images:
                parts += [{"type": "text", "text": f"The tool call {block.tool_call_id} returned:"}, *images]
        elif isinstance(block, Text | Image):
            parts.append(_part(block))
    if len(parts) == 1 and parts[0]["type"] == "text":
        yield {"role": "user", "content": parts[0]["text"]}
    elif parts:
        yield {"role": "user", "content": parts}


def _result(result: ToolResult, has_images: bool) -> str:
    text = "\n".join(block.text for block in result.blocks if isinstance(block, Text))
    if has_images:
        text += ("\n" if text else "") + "(The image follows.)"
    return f"Error: {text}" if result.is_error else text


def _part(block: Text | Image) -> Json:
    if isinstance(block, Text):
        return {"type": "text", "text": block.text}
    return {"type": "image_url", "image_url": {"url": block.url or f"data:{block.media_type};base64,{block.data}"}}


def _joined(blocks: Iterable[RequestBlock]) -> str:
    return "\n\n".join(block.text for block in blocks if isinstance(block, Text))


def _length(most: int | None, model: Model, dropped: list[str]) -> Json:
    """Models that reason take another field, which servers of other makers may not know."""
    most = most_output(most, model, dropped)
    return {} if most is None else {"max_completion_tokens" if model.reasons else "max_tokens": most}


def _stops(settings: Settings) -> Json:
    if len(settings.stop) > _MOST_STOPS:
        raise wrong("stop_sequences", f"at most {_MOST_STOPS} strings for this model")
    return {"stop": list(settings.stop)} if settings.stop else {}


def _thinking(settings: Settings, model: Model, dropped: list[str]) -> Json:
    effort = effort_of(settings)
    if effort is None or (effort == "none" and not model.reasons):
        return {}
    if not model.reasons:
        dropped.append("thinking")
        return {}
    return {"reasoning_effort": "low" if effort == "none" else effort}


def _tools(tools: Sequence[Tool], settings: Settings) -> Json:
    if not tools:
        return {}
    fields: Json = {"tools": [{"type": "function", "function": _function(tool)} for tool in tools]}
    if settings.tool_choice is not None:
        fields["tool_choice"] = _tool_choice(settings.tool_choice)
    if settings.parallel_tool_calls is not None:
        fields["parallel_tool_calls"] = settings.parallel_tool_calls
    return fields


def _function(tool: Tool) -> Json:
    """An object without properties is refused by some; so it has an empty list of them."""
    described = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **described, "parameters": {"type": "object", "properties": {}, **tool.schema}}


def _tool_choice(choice: ToolChoice) -> Json | str:
    if choice.mode == "tool":
        return {"type": "function", "function": {"name": choice.tool}}
    return choice.mode


def _response_format(shape: Shape) -> Json:
    if shape.schema is None:
        return {"type": "json_object"}
    return {
        "type": "json_schema",
        "json_schema": {"name": shape.name or "answer", "schema": dict(shape.schema), "strict": True},
    }
