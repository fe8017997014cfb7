"""Responses requests from neutral content alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.dialects.openai_options import effort_of, most_output, sampling, whose
from gateway.dialects.settings import Made, Model, Settings, Shape, ToolChoice
from gateway.dialects.wire_json import Json, dumps
from gateway.errors import BadRequest
from policies.content import Request, Text, Tool

from .request_writer import write_messages

_LEAST_OUTPUT = 16
"""OpenAI refuses to give fewer tokens."""


def make_request(request: Request, settings: Settings, model: Model) -> Made:
    """Raises BadRequest. See `gateway.dialects.portable` for the form of `request`."""
    if settings.stop:
        raise BadRequest("This model takes no stop sequences.", param="stop")
    dropped: list[str] = []
    body: Json = {"model": model.name}
    if request.system:
        body["instructions"] = "\n\n".join(block.text for block in request.system if isinstance(block, Text))
    # A provider that would keep the call has not been asked to by the client.
    body |= {"input": list(_input(request)), "store": False}
    body |= _length(request.max_tokens, model, dropped)
    body |= sampling(settings, model, dropped)
    body |= _tools(request.tools, settings)
    body |= _reasoning(settings, model, dropped)
    if settings.shape is not None:
        body["text"] = {"format": _format(settings.shape)}
    body |= whose(settings, "safety_identifier")
    if request.stream:
        body["stream"] = True
    return Made(dumps(body), tuple(dropped))


def _input(request: Request) -> Iterable[Json]:
    for item in write_messages(request.messages):
        if item["type"] == "function_call" and not item["arguments"].strip():
            yield {**item, "arguments": "{}"}
        elif item["type"] == "function_call_output":
            yield {**item, "output": _text_alone(item["output"])}
        else:
            yield item


def _text_alone(output: object) -> object:
    """Not every server takes parts where a text says it all."""
    if isinstance(output, list) and all(part["type"] == "input_text" for part in output):
        return "\n".join(part["text"] for part in output)
    return output


def _length(most: int | None, model: Model, dropped: list[str]) -> Json:
    most = most_output(most, model, dropped)
    return {} if most is None else {"max_output_tokens": max(most, _LEAST_OUTPUT)}


def _reasoning(settings: Settings, model: Model, dropped: list[str]) -> Json:
    """What is thought comes sealed too, so that the next call can bring it back."""
    effort = effort_of(settings)
    if not model.reasons:
        if effort not in (None, "none"):
            dropped.append("thinking")
        return {}
    fields: Json = {"include": ["reasoning.encrypted_content"]}
    if effort is not None:
        fields["reasoning"] = {"effort": "low"} if effort == "none" else {"effort": effort, "summary": "auto"}
    return fields


def _tools(tools: Sequence[Tool], settings: Settings) -> Json:
    if not tools:
        return {}
    fields: Json = {"tools": [_tool(tool, settings) for tool in tools]}
    if settings.tool_choice is not None:
        fields["tool_choice"] = _tool_choice(settings.tool_choice, tools)
    if settings.parallel_tool_calls is not None:
        fields["parallel_tool_calls"] = settings.parallel_tool_calls
    return fields


def _tool(tool: Tool, settings: Settings) -> Json:
    said = [tool.description]
    if tool.custom:
        grammar = settings.grammars.get(tool.name, "")
        said += [f"The input must be in this form:\n{grammar}"] if grammar else []
    described = {"description": text} if (text := "\n\n".join(filter(None, said))) else {}
    if tool.custom:
        return {"type": "custom", "name": tool.name, **described}
    parameters = {"type": "object", "properties": {}, **tool.schema}
    return {"type": "function", "name": tool.name, **described, "parameters": parameters, "strict": False}


def _tool_choice(choice: ToolChoice, tools: Sequence[Tool]) -> Json | str:
    if choice.mode != "tool":
        return choice.mode
    custom = any(tool.custom for tool in tools if tool.name == choice.tool)
    return {"type": "custom" if custom else "function", "name": choice.tool}


def _format(shape: Shape) -> Json:
    if shape.schema is None:
        return {"type": "json_object"}
    return {"type": "json_schema", "name": shape.name or "answer", "schema": dict(shape.schema), "strict": True}
