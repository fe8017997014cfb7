"""The places of a request where texts stand, and rewriting those. Pure.

What the model said stays as it is: its provider knows it already, and may have signed what it thought next over it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from policies.content import Message, Request, RequestBlock, Text, Tool, ToolResult

RequestPlace = Literal["user", "system", "tool_results", "tool_definitions"]
AnswerPlace = Literal["text", "tool_arguments", "thinking"]
Place = RequestPlace | AnswerPlace

Change = Callable[[str], str]
T = TypeVar("T")
Edited = TypeVar("Edited", Request, Message, RequestBlock, Tool)

_PLACE_OF = {"user": "user", "system": "system", "tool": "tool_results"}


def rewritten(request: Request, places: frozenset[str], change: Change) -> Request:
    """The request with `change` applied to each text in `places`; all that it leaves alone stays the same object."""
    changes: dict[str, Any] = {}
    if "system" in places:
        changes["system"] = _blocks(request.system, "system", places, change)
    changes["messages"] = _each(request.messages, lambda message: _message(message, places, change))
    if "tool_definitions" in places:
        changes["tools"] = _each(request.tools, lambda tool: _tool(tool, change))
    return _replaced(request, changes)


def _message(message: Message, places: frozenset[str], change: Change) -> Message:
    if message.role == "assistant":
        return message
    return _replaced(message, {"blocks": _blocks(message.blocks, _PLACE_OF[message.role], places, change)})


def _blocks(
    blocks: tuple[RequestBlock, ...], place: str, places: frozenset[str], change: Change
) -> tuple[RequestBlock, ...]:
    return _each(blocks, lambda block: _block(block, place, places, change))


def _block(block: RequestBlock, place: str, places: frozenset[str], change: Change) -> RequestBlock:
    match block:
        case Text() if place in places:
            return _replaced(block, {"text": change(block.text)})
        case ToolResult():
            return _replaced(block, {"blocks": _blocks(block.blocks, "tool_results", places, change)})
        case _:
            return block


def _tool(tool: Tool, change: Change) -> Tool:
    return _replaced(tool, {"description": change(tool.description), "schema": _described(tool.schema, change)})


def _described(schema: Any, change: Change) -> Any:
    """A JSON schema with its descriptions changed."""
    match schema:
        case Mapping():
            return {
                key: change(value) if key == "description" and isinstance(value, str) else _described(value, change)
                for key, value in schema.items()
            }
        case list():
            return [_described(item, change) for item in schema]
        case _:
            return schema


def _each(things: tuple[T, ...], change: Callable[[T], T]) -> tuple[T, ...]:
    new = tuple(map(change, things))
    return things if all(a is b for a, b in zip(new, things, strict=True)) else new


def _replaced(thing: Edited, changes: dict[str, Any]) -> Edited:
    different = {name: value for name, value in changes.items() if value != getattr(thing, name)}
    return dataclasses.replace(thing, **different) if different else thing
