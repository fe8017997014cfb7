"""Original and final of a call as lists of blocks, which people and programs compare. Pure.

A block is a dict with a `kind`; beside it `text`, or a tool call's `name`, `arguments` and `id`. Blocks of a request
have a `role`; a tool's result has `images` where it has any. The keys are part of the API.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypedDict, assert_never

from policies.content import (
    Image,
    Opaque,
    Request,
    RequestBlock,
    Response,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    UnparsableArguments,
)

Block = dict[str, Any]


class Side(TypedDict):
    """A request or an answer. `changed` says whether policies made the final one differ."""

    changed: bool
    original: list[Block]
    final: list[Block]


class Diff(TypedDict):
    request: Side
    response: Side


def request_blocks(request: Request | None) -> list[Block]:
    """System, messages and tools of a request, in that order; empty where there is none."""
    if request is None:
        return []
    blocks = [{"role": role, **_block(block)} for role, block in _said(request)]
    blocks.extend({"kind": "tool", "name": tool.name, "text": tool.description} for tool in request.tools)
    return blocks


def request_content(request: Request) -> Iterator[RequestBlock]:
    """What the blocks of `request_blocks` were made of, in their order, up to the tools."""
    return (block for _, block in _said(request))


def images_of(block: RequestBlock) -> list[Image]:
    """The image that a block is, or those of a tool's result."""
    if isinstance(block, ToolResult):
        return [inner for inner in block.blocks if isinstance(inner, Image)]
    return [block] if isinstance(block, Image) else []


def response_blocks(responses: Sequence[Response]) -> list[Block]:
    """The blocks of an answer. Where it has several choices, each block has its `choice`."""
    if len(responses) == 1:
        return [_block(block) for block in responses[0].blocks]
    return [{"choice": place, **_block(block)} for place, each in enumerate(responses) for block in each.blocks]


def _said(request: Request) -> Iterator[tuple[str, RequestBlock]]:
    """The blocks of system and messages, each with whose it is."""
    yield from (("system", block) for block in request.system)
    for message in request.messages:
        yield from ((message.role, block) for block in message.blocks)


def _block(block: RequestBlock) -> Block:
    match block:
        case Text() | Thinking():
            return {"kind": block.kind, "text": block.text}
        case ToolCall():
            return {"kind": block.kind, "name": block.name, "arguments": _arguments(block), "id": block.id}
        case ToolResult():
            return _tool_result(block)
        case Image():
            return {"kind": block.kind, **_image(block)}
        case Opaque():
            return {"kind": block.kind, "type": block.type}
        case _:
            assert_never(block)


def _tool_result(result: ToolResult) -> Block:
    text = "\n".join(inner.text for inner in result.blocks if isinstance(inner, Text))
    block = {"kind": result.kind, "text": text, "tool_call_id": result.tool_call_id, "is_error": result.is_error}
    images = [_image(inner) for inner in images_of(result)]
    return {**block, "images": images} if images else block


def _image(image: Image) -> Block:
    return {"media_type": image.media_type, "url": image.url, "size": len(image.data)}


def _arguments(tool_call: ToolCall) -> Any:
    """The arguments as an object, or what the model wrote where that is none."""
    try:
        return tool_call.arguments
    except UnparsableArguments:
        return tool_call.arguments_text
