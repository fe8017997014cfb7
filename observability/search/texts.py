"""The words of a call that were not in the calls before it, for the search index. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from observability.text import clean
from policies.content import Block, Message, Request, RequestBlock, Response, Text, Thinking, ToolCall, ToolResult

MOST_BYTES = 256 * 1024
"""Of a call, the bytes of text that can be found: of a longer text its beginning and its end."""


def new_text(requests: Iterable[Request | None], answers: Iterable[Response], *, from_the_start: bool) -> str:
    """What was said in a call, each piece once.

    Of requests it is what follows the last answer, as the rest was in the call before; all of it `from_the_start`.
    """
    pieces = dict.fromkeys(
        piece
        for piece in (
            *(piece for request in requests if request is not None for piece in _asked(request, from_the_start)),
            *(piece for answer in answers for piece in _said(answer.blocks)),
        )
        if piece
    )
    return _cut("\n".join(pieces))


def called_tools(answers: Iterable[Response]) -> list[str]:
    """The names of the tools that a model called, each once."""
    calls = (block for answer in answers for block in answer.blocks if isinstance(block, ToolCall))
    return list(dict.fromkeys(call.name for call in calls))


def _asked(request: Request, from_the_start: bool) -> Iterator[str]:
    last = max((place for place, message in enumerate(request.messages) if message.role == "assistant"), default=-1)
    if from_the_start or last < 0:
        yield from _said(request.system)
        last = -1
    yield from _messages(request.messages[last + 1 :])


def _messages(messages: Sequence[Message]) -> Iterator[str]:
    for message in messages:
        yield from _said(message.blocks)


def _said(blocks: Sequence[RequestBlock | Block]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Text(text) | Thinking(text):
                yield text
            case ToolCall():
                yield f"{block.name} {_arguments(block.arguments_text)}"
            case ToolResult():
                yield from _said(block.blocks)
            case _:
                pass  # images, and what we do not model


def _arguments(text: str) -> str:
    """Arguments as they are meant: a line break is one, not a backslash and an n."""
    try:
        return "\n".join(_strings(json.loads(text)))
    except (ValueError, RecursionError):
        return text


def _strings(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for name, item in value.items():
                yield str(name)
                yield from _strings(item)
        case list():
            for item in value:
                yield from _strings(item)
        case _:
            yield str(value)


def _cut(text: str) -> str:
    text = clean(text, len(text))
    raw = text.encode()
    if len(raw) <= MOST_BYTES:
        return text
    half = MOST_BYTES // 2
    return f"{raw[:half].decode(errors='ignore')}\n{raw[-half:].decode(errors='ignore')}"
