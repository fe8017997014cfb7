"""What a call says that the call before it in its thread did not. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from policies.content import Message, Request

from .steps import is_step


def news(request: Request, shared: int) -> Request:
    """`request` without its first `shared` steps, and without tools; with them goes the system prompt."""
    messages = tuple(message for message in _rest(request.messages, shared) if message.blocks)
    return dataclasses.replace(request, messages=messages, tools=(), system=() if shared else request.system)


def _rest(messages: tuple[Message, ...], shared: int) -> Iterator[Message]:
    for message in messages:
        if not shared:
            yield message
            continue
        for place, block in enumerate(message.blocks, 1):
            shared -= is_step(message.role, block)
            if not shared:
                yield dataclasses.replace(message, blocks=message.blocks[place:])
                break
