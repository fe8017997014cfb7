"""Neutral requests to Anthropic's, as minimal edits of what the client sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.dialects.fields import source_of
from gateway.dialects.request_edits import Changes, apply, changed_messages
from gateway.dialects.wire_json import Json, dumps
from gateway.errors import BadRequest
from policies.content import Image, Message, Request, RequestBlock, Text, Tool, ToolResult

from .blocks import write_block
from .requests import read_request_block, read_tool


def write_request(body: bytes, original: Request, final: Request, model: str) -> bytes:
    """`body` itself if nothing differs, else a minimal edit of it that asks for `model`."""
    return apply(body, original, model, _changes(body, original, final))


def _changes(body: bytes, original: Request, final: Request) -> Changes:
    changes: Changes = {}
    source = original.source
    if final.messages is not original.messages:
        changes["messages"] = changed_messages(body, original, final.messages, _message)
    if final.system != original.system:
        content = _content(final.system, source.get("system"))
        changes["system"] = dumps(content) if final.system else None
    if final.tools != original.tools:
        changes["tools"] = dumps([_tool(tool) for tool in final.tools])
        changes.update(_tool_choice(source.get("tool_choice"), final.tools))
    if final.max_tokens != original.max_tokens:
        changes["max_tokens"] = dumps(final.max_tokens)
    return changes


def _message(message: Message) -> Json:
    source = source_of(message) or {}
    return {**source, "role": message.role, "content": _content(message.blocks, source.get("content"))}


def _content(blocks: Sequence[RequestBlock], known: Any) -> Any:
    """A string stays a string as long as it is one text."""
    if isinstance(known, str) and len(blocks) == 1 and isinstance(blocks[0], Text):
        return blocks[0].text
    return [write_request_block(block) for block in blocks]


def write_request_block(block: RequestBlock) -> Json:
    """The JSON of a block: its source where it says the same, else a minimal edit, else made whole."""
    source = source_of(block)
    if source is not None and _says(source, block):
        return source
    match block:
        case ToolResult():
            known = source if source is not None and source.get("type") == "tool_result" else {}
            return _tool_result(block, known)
        case Image():
            known = source if source is not None and source.get("type") == "image" else {}
            return {"type": "image", **known, "source": _image_source(block)}
        case _:
            return write_block(block)


def _says(source: Json, block: RequestBlock) -> bool:
    try:
        return read_request_block(source) == block
    except BadRequest:
        return False


def _tool_result(block: ToolResult, source: Json) -> Json:
    result = {"type": "tool_result", **source, "tool_use_id": block.tool_call_id}
    if block.is_error or "is_error" in source:
        result["is_error"] = block.is_error
    if block.blocks or "content" in source:
        result["content"] = _content(block.blocks, source.get("content", ""))
    return result


def _image_source(block: Image) -> Json:
    if block.url:
        return {"type": "url", "url": block.url}
    return {"type": "base64", "media_type": block.media_type, "data": block.data}


def _tool(tool: Tool) -> Json:
    source = source_of(tool)
    if source is not None and read_tool(source) == tool:
        return source
    edited = {**(source or {}), "name": tool.name, "input_schema": dict(tool.schema) or {"type": "object"}}
    if tool.description:
        edited["description"] = tool.description
    return edited


def _tool_choice(choice: Any, tools: Sequence[Tool]) -> Changes:
    """A choice of a tool that is gone would be refused."""
    if not isinstance(choice, dict):
        return {}
    named = choice.get("type") == "tool" and choice.get("name") not in {tool.name for tool in tools}
    return {"tool_choice": None} if named or not tools else {}
