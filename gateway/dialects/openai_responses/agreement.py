"""An item is told several times: announced, said bit by bit, and told as a whole. Clients differ in what they believe,
so all of it must agree where a policy judges. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.dialects.wire_json import Json
from gateway.errors import UpstreamGarbled

from .items import ARGUMENTS, TEXTS, Place, argument_fields, kind_of, spoken

_SPREAD = {"response.apply_patch_call_operation_diff": "diff", "response.shell_call_command": "command"}
"""Beginnings of events that tell one of a call's several arguments, and the field that holds it whole."""
_TEXT_FIELDS = ("text", "refusal")
_SAYS = ("arguments", "code", "command", "delta", "diff", "input", "name", "part", "refusal", "text", "transcript")
"""Fields of an event that say something of an item."""


def require(in_place: bool) -> None:
    """Raises UpstreamGarbled."""
    if not in_place:
        raise UpstreamGarbled("the provider sent an event out of place")


def require_known(item: Json) -> None:
    """Nothing in a whole item that some client might run or show is left out when it is read. Raises UpstreamGarbled.

    That is: a call of an unknown type, a call with two sorts of arguments, and a text in a part of an unknown type.
    """
    if item["type"] in ARGUMENTS:
        require(not (item.get("arguments") and item.get("input")))
    elif item["type"] == "message":
        for part in item.get("content") or ():
            require_known_part(part)
    elif kind_of(item) == "opaque" and not item["type"].endswith("_output"):
        require(not item.get("call_id") and not (item.get("name") and ("arguments" in item or "input" in item)))


def require_known_part(part: Json) -> None:
    """Raises UpstreamGarbled for a part of a message that says something in a way of its own."""
    field = TEXTS.get(part["type"])
    require(not any(part.get(name) for name in _TEXT_FIELDS if name != field))


def require_empty(item: Json) -> None:
    """An item that is announced has said nothing yet, unless it is a call. Raises UpstreamGarbled."""
    require(kind_of(item) == "tool_call" or not any(spoken(item).values()))


def require_no_item(event: Json) -> None:
    """An event that belongs to no open item says nothing that clients might take for one. Raises UpstreamGarbled."""
    if event["type"].startswith("response."):
        require("output_index" not in event and not any(map(event.get, _SAYS)))


def require_foretold(announced: Json, item: Json, said: dict[Place, list[str]]) -> None:
    """A call was announced as what it became, or with less. Raises UpstreamGarbled."""
    if item["type"] in ARGUMENTS:
        place: Place = ("arguments", 0)
        early = spoken(announced)[place]
        require(not early or (place not in said and early == spoken(item)[place]))
    else:
        require(_begins(argument_fields(announced), argument_fields(item)))


class Spread:
    """What the events of one item tell of arguments that are spread over its fields."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, Any], list[str]] = {}
        self._whole: list[str] = []

    def add(self, event: Json) -> None:
        name, _, what = event["type"].rpartition(".")
        field = _SPREAD.get(name)
        if field is None:
            return
        if what == "delta":
            self._said.setdefault((name, event.get("command_index")), []).append(event["delta"])
        elif event.get(field):
            self._whole.append(event[field])

    def require_in(self, item: Json) -> None:
        """Raises UpstreamGarbled if one of the arguments is not what `item` says."""
        if self._said or self._whole:
            told = set(_texts(argument_fields(item)))
            require(told.issuperset(["".join(said) for said in self._said.values()] + self._whole))


def _begins(early: Any, whole: Any) -> bool:
    """Whether `early` is `whole`, or a beginning of it: fewer members, fewer elements, less of a text."""
    if early is None or early == whole:
        return True
    if isinstance(early, str) and isinstance(whole, str):
        return whole.startswith(early)
    if isinstance(early, dict) and isinstance(whole, dict):
        return all(not value or (name in whole and _begins(value, whole[name])) for name, value in early.items())
    if isinstance(early, list) and isinstance(whole, list):
        return len(early) <= len(whole) and all(map(_begins, early, whole))
    return False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _texts(child)
