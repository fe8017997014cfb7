"""Neutral requests to OpenAI's Responses, as minimal edits of what the client sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.dialects.fields import source_of
from gateway.dialects.request_edits import Changes, apply, changed_elements
from gateway.dialects.wire_json import Json, dumps, join_array
from policies.content import Image, Message, Opaque, Request, RequestBlock, Text, Thinking, ToolCall, ToolResult

from .items import ARGUMENTS, TEXTS, read_item
from .making import finished_call
from .requests import RESULTS, ROLES, read_message, read_part
from .tools import possible, write_tools


def write_request(body: bytes, original: Request, final: Request, model: str) -> bytes:
    """`body` itself if nothing differs, else a minimal edit of it that asks for `model`."""
    return apply(body, original, model, _changes(body, original, final))


def write_messages(messages: Iterable[Message]) -> list[Json]:
    """Messages as input items; one may make several."""
    return [item for message in messages for item in _items(message)]


def _changes(body: bytes, original: Request, final: Request) -> Changes:
    changes: Changes = {}
    source = original.source
    if final.messages is not original.messages:
        changes["input"] = _input(body, original, final.messages)
    if final.system != original.system:
        changes["instructions"] = dumps(_instructions(final.system)) if final.system else None
    if final.tools != original.tools:
        changes["tools"] = dumps(write_tools(final.tools)) if final.tools else None
        if "tool_choice" in source and not possible(source["tool_choice"], final.tools):
            changes["tool_choice"] = None
    if final.max_tokens != original.max_tokens:
        changes["max_output_tokens"] = dumps(final.max_tokens)
    return changes


def _input(body: bytes, original: Request, messages: Sequence[Message]) -> bytes:
    """A string stays one as long as it is all that is said."""
    if isinstance(original.source.get("input"), list):
        return changed_elements(body, "input", original, messages, _items)
    if len(messages) == 1 and messages[0].role == "user" and messages[0].source is None:
        blocks = messages[0].blocks
        if len(blocks) == 1 and isinstance(blocks[0], Text):
            return dumps(blocks[0].text)
    return join_array(map(dumps, write_messages(messages)))


def _items(message: Message) -> list[Json]:
    """The items of a message: its words and pictures in one, every call, result and thought in its own."""
    source = source_of(message)
    if source is not None and read_message(source) == message:
        return [source]
    items: list[Json] = []
    spoken: list[RequestBlock] = []
    for block in message.blocks:
        if isinstance(block, Text | Image) or (isinstance(block, Opaque) and _is_part(block)):
            spoken.append(block)
            continue
        if spoken:
            items.append(_message(message, spoken, source))
            spoken = []
        items.append(_item(block))
    return [*items, _message(message, spoken, source)] if spoken else items


def _message(message: Message, blocks: Sequence[RequestBlock], source: Json | None) -> Json:
    known = source if source is not None and source.get("type", "message") == "message" else {"type": "message"}
    role = known["role"] if ROLES.get(known.get("role")) == message.role else message.role
    return {**known, "role": role, "content": _content(blocks, known.get("content"), message.role)}


def _content(blocks: Sequence[RequestBlock], known: Any, role: str) -> Any:
    """A string stays a string as long as it is one text."""
    if isinstance(known, str) and len(blocks) == 1 and isinstance(blocks[0], Text):
        return blocks[0].text
    return [_part(block, role) for block in blocks]


def _part(block: RequestBlock, role: str) -> Json:
    source = _part_source(block)
    if "type" in source and _same_part(source, block):
        return source
    match block:
        case Text():
            made = "output_text" if role == "assistant" else "input_text"
            type_name = source.get("type", made)
            return {**source, "type": type_name, TEXTS.get(type_name, "text"): block.text}
        case Image():
            url = block.url or f"data:{block.media_type};base64,{block.data}"
            return {"detail": "auto", **source, "type": "input_image", "image_url": url}
        case _:
            return source


def _same_part(source: Json, block: RequestBlock) -> bool:
    return read_part(source) == block


def _item(block: RequestBlock) -> Json:
    """The item of a block that is no part of a message."""
    source = _item_source(block)
    match block:
        case ToolResult():
            type_name = source.get("type", "function_call_output")
            output = _content(block.blocks, source.get("output", ""), "user") if block.blocks else ""
            name = "id" if type_name not in RESULTS or ("call_id" not in source and "id" in source) else "call_id"
            return {**source, "type": type_name, name: block.tool_call_id, "output": output}
        case ToolCall():
            return _call(block, source)
        case Thinking():
            return source or _reasoning(block)
        case _:
            return source


def _call(call: ToolCall, source: Json) -> Json:
    if source and read_item(source) == [call]:
        return source
    if source and source["type"] not in ARGUMENTS:
        return finished_call(None, source, call.arguments_text)
    type_name = "custom_tool_call" if call.custom else "function_call"
    type_name = source.get("type", type_name)
    names = {"call_id" if type_name in ("function_call", "custom_tool_call") else "id": call.id, "name": call.name}
    if source.get("namespace"):
        known = read_item(source)[0]
        names["name"] = source["name"] if isinstance(known, ToolCall) and known.name == call.name else call.name
    return {**source, "type": type_name, **names, ARGUMENTS[type_name]: call.arguments_text}


def _reasoning(thinking: Thinking) -> Json:
    summary = [{"type": "summary_text", "text": thinking.text}] if thinking.text else []
    signature = {"encrypted_content": thinking.signature} if thinking.signature else {}
    return {"type": "reasoning", "summary": summary, **signature}


def _instructions(blocks: Sequence[RequestBlock]) -> Any:
    if any(isinstance(block, Opaque) for block in blocks):
        return [source_of(block) or _part(block, "system") for block in blocks]
    return "\n\n".join(block.text for block in blocks if isinstance(block, Text))


def _is_part(block: Opaque) -> bool:
    """Whether an opaque block stands among the words of a message, and is no item of its own."""
    source = source_of(block) or {}
    return "item" not in source or "part" in source


def _part_source(block: RequestBlock) -> Json:
    source = source_of(block) or {}
    part: Json = source["part"] if "item" in source and "part" in source else source
    return part


def _item_source(block: RequestBlock) -> Json:
    source = source_of(block) or {}
    item: Json = source.get("item", source)
    return item
