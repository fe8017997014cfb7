"""A guess at how many tokens a request has, made without asking its provider. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .content import Image, Request, RequestBlock, Text, Thinking, ToolCall, ToolResult

_BYTES = 3.5
"""Of a token, rather few: who shortens a conversation by this count should do it too early, not too late."""
_IMAGE = 1600
_MESSAGE = 4


def tokens(request: Request) -> int:
    """The tokens of system, messages and tools, about."""
    said = sum(_tokens(message.blocks) + _MESSAGE for message in request.messages)
    tools = sum(_length(tool.name + tool.description) + _size(tool.schema) for tool in request.tools)
    return round(_tokens(request.system) + said + tools)


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
    return _size(block.source)


def _size(value: Any) -> float:
    return _length(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict))


def _length(text: str) -> float:
    return (len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))) / _BYTES
