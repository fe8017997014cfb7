"""Writing a request so that all that no policy changed keeps its bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from policies.content import Message, Request

from .wire_json import Json, dumps, join_array, member_elements, replace_members, replace_string

Changes = dict[str, bytes | None]


def apply(body: bytes, original: Request, model: str, changes: Changes) -> bytes:
    """`body` with `changes` to its members, and asking for `model`."""
    if model != original.model:
        if not changes:
            renamed = replace_string(body, "model", original.model, model)
            if renamed is not None:
                return renamed
        changes = {**changes, "model": dumps(model)}
    return replace_members(body, changes) if changes else body


def added_member(body: bytes, name: str, value: bytes) -> bytes:
    """The object `body`, which has members but not this one, with it at the end; all other bytes stay."""
    end = body.rindex(b"}")
    return body[:end] + b"," + dumps(name) + b":" + value + body[end:]


def changed_messages(
    body: bytes, original: Request, messages: Sequence[Message], write: Callable[[Message], Json]
) -> bytes:
    """The array `messages`: those that stand in the original request keep their bytes, wherever they stand now."""
    known = dict(zip(map(id, original.messages), member_elements(body, "messages"), strict=True))
    return join_array(known.get(id(message)) or dumps(write(message)) for message in messages)
