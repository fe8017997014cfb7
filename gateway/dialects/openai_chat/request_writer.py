"""Neutral requests to OpenAI's, as minimal edits of what the client sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from gateway.dialects.fields import source_of
from gateway.dialects.request_edits import Changes, added_member, apply, changed_messages
from gateway.dialects.wire_json import Json, dumps
from policies.content import Image, Message, Opaque, Request, RequestBlock, Text, Thinking, Tool, ToolCall, ToolResult

from .answers import write_call
from .pieces import REASONING
from .reader import asked_for_usage
from .requests import ROLES, read_message, read_part, read_tool


def write_request(body: bytes, original: Request, final: Request, model: str) -> bytes:
    """`body` itself if nothing differs, else a minimal edit of it that asks for `model`.

    A stream's usage is asked for in any case, for the record; the reader keeps it from clients that did not ask.
    """
    changes = _changes(body, original, final)
    if not original.stream or asked_for_usage(original):
        return apply(body, original, model, changes)
    options = original.source.get("stream_options")
    wanted = dumps({**(options or {}), "include_usage": True})
    if "stream_options" in original.source:
        return apply(body, original, model, {**changes, "stream_options": wanted})
    return added_member(apply(body, original, model, changes), "stream_options", wanted)


def _changes(body: bytes, original: Request, final: Request) -> Changes:
    changes: Changes = {}
    messages = _with_system(final)
    if messages is not original.messages:
        changes["messages"] = changed_messages(body, original, messages, _message)
    if final.tools != original.tools:
        changes.update(_tools(original.source, final.tools))
    if final.max_tokens != original.max_tokens:
        name = "max_tokens" if "max_tokens" in original.source else "max_completion_tokens"
        changes[name] = dumps(final.max_tokens)
    return changes


def _with_system(request: Request) -> tuple[Message, ...]:
    """System text that a policy added stands behind the client's own."""
    if not request.system:
        return request.messages
    place = next((at for at, message in enumerate(request.messages) if message.role != "system"), 0)
    return (*request.messages[:place], Message("system", request.system), *request.messages[place:])


def _message(message: Message) -> Json:
    source = source_of(message)
    if source is not None and read_message(source) == message:
        return source
    source = source or {}
    role = source["role"] if ROLES.get(source.get("role")) == message.role else message.role
    if message.role == "tool":
        return _tool_message({**source, "role": role}, message.blocks)
    edited = {**source, "role": role, "content": _content(message.blocks, source.get("content"))}
    return {**_without_gone(edited), **_calls(message.blocks), **_thinking(message.blocks)}


def _tool_message(source: Json, blocks: Sequence[RequestBlock]) -> Json:
    result = next(block for block in blocks if isinstance(block, ToolResult))
    content = _content(result.blocks, source.get("content", ""))
    name = "name" if source["role"] == "function" else "tool_call_id"
    return {**source, name: result.tool_call_id, "content": content if content is not None else ""}


def _without_gone(source: Json) -> Json:
    gone = {"tool_calls", "function_call", *REASONING}
    return {name: value for name, value in source.items() if name not in gone}


def _spoken(blocks: Iterable[RequestBlock]) -> list[Text | Image | Opaque]:
    return [block for block in blocks if isinstance(block, Text | Image | Opaque)]


def _content(blocks: Sequence[RequestBlock], known: Any) -> Any:
    """A string stays a string as long as it is one text."""
    spoken = _spoken(blocks)
    if not spoken:
        return None
    if not isinstance(known, list) and len(spoken) == 1 and isinstance(spoken[0], Text):
        return spoken[0].text
    return [_part(block) for block in spoken]


def _part(block: Text | Image | Opaque) -> Json:
    source = source_of(block) or {}
    if "type" in source and read_part(source) == block:
        return source
    match block:
        case Text():
            name = "refusal" if source.get("type") == "refusal" else "text"
            return {**source, "type": name, name: block.text}
        case Image():
            url = block.url or f"data:{block.media_type};base64,{block.data}"
            return {**source, "type": "image_url", "image_url": {**source.get("image_url", {}), "url": url}}
        case Opaque():
            return {**source, "type": block.type}
        case _:
            assert_never(block)


def _calls(blocks: Sequence[RequestBlock]) -> Json:
    calls = [block for block in blocks if isinstance(block, ToolCall)]
    fields: Json = {}
    for call in calls:
        source = source_of(call) or {}
        if "function_call" in source:
            inner = {**source["function_call"], "name": call.name, "arguments": call.arguments_text}
            fields["function_call"] = inner
        else:
            fields.setdefault("tool_calls", []).append(write_call(call, source))
    return fields


def _thinking(blocks: Sequence[RequestBlock]) -> Json:
    thoughts = [block for block in blocks if isinstance(block, Thinking)]
    return {next(iter(source_of(block) or REASONING)): block.text for block in thoughts[:1]}


def _tools(source: Json, tools: Sequence[Tool]) -> Changes:
    """Tools and legacy functions go back where they came from; an empty list of either would be refused."""
    functions = [tool for tool in tools if _is_legacy(tool)]
    others = [tool for tool in tools if not _is_legacy(tool)]
    changes: Changes = {}
    if others or "tools" in source:
        changes["tools"] = dumps([_tool(tool) for tool in others]) if others else None
    if functions or "functions" in source:
        changes["functions"] = dumps([_tool(tool) for tool in functions]) if functions else None
    names = {tool.name for tool in tools}
    for name in ("tool_choice", "function_call"):
        if name in source and not _possible(source[name], names):
            changes[name] = None
    if not others:
        changes["parallel_tool_calls"] = None
    return changes


def _possible(choice: Any, names: set[str]) -> bool:
    """Whether every tool that a choice speaks of is still there."""
    if not isinstance(choice, dict):
        return bool(names)
    inner = choice.get(choice.get("type", ""), choice)
    name = inner.get("name") if isinstance(inner, dict) else None
    return bool(names) and (name is None or name in names)


def _is_legacy(tool: Tool) -> bool:
    source = source_of(tool)
    return source is not None and "type" not in source and "name" in source


def _tool(tool: Tool) -> Json:
    source = source_of(tool)
    if source is not None and read_tool(source) == tool:
        return source
    fields: Json = {"name": tool.name, "parameters": dict(tool.schema)}
    if tool.description:
        fields["description"] = tool.description
    if source is None:
        return {"type": "function", "function": fields}
    if "type" not in source:
        return {**source, **fields}
    type_name = source["type"]
    if type_name == "custom":
        fields.pop("parameters")
    return {**source, type_name: {**source.get(type_name, {}), **fields}}
