"""A guess at how many tokens a request has, for models whose provider does not count them."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialects.wire_json import dumps, dumps_text
from policies.content import Image, Request, RequestBlock, Text, Thinking, ToolCall, ToolResult

_BYTES = 3.5
"""Of a token, rather few: who shortens a conversation by this count should do it too early, not too late."""
_IMAGE = 1600
_MESSAGE = 4


def estimate_tokens(request: Request) -> bytes:
    """The answer to a count of tokens."""
    said = sum(_tokens(message.blocks) + _MESSAGE for message in request.messages)
    tools = sum(_length(tool.name + tool.description + dumps_text(tool.schema)) for tool in request.tools)
    return dumps({"input_tokens": round(_tokens(request.system) + said + tools)})


def _tokens(blocks: Iterable[RequestBlock]) -> float:
    return sum(map(_block, blocks))


def _block(block: RequestBlock) -> float:
    match block:
        case Text() | Thinking():
            return _length(block.text)
        case ToolCall():
            return _length(block.name + block.arguments_text)
        case ToolResult():
            return _tokens(block.blocks)
        case Image():
            return _IMAGE
    return _length(dumps_text(block.source))


def _length(text: str) -> float:
    return len(text.encode(errors="surrogatepass")) / _BYTES
