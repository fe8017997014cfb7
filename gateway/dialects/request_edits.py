"""Writing a request so that all that no policy changed keeps its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

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
    return changed_elements(body, "messages", original, messages, lambda message: [write(message)])


def changed_elements(
    body: bytes, name: str, original: Request, messages: Sequence[Message], write: Callable[[Message], Iterable[Json]]
) -> bytes:
    """The array `name`, an element a message of the original request; a new message may make several."""
    known = dict(zip(map(id, original.messages), member_elements(body, name), strict=True))
    elements = ([known[id(m)]] if id(m) in known else map(dumps, write(m)) for m in messages)
    return join_array(chain.from_iterable(elements))
