"""JSON as it stands on the wire: parsed once, and edited so that what nobody changed keeps its bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from gateway.errors import UpstreamGarbled
from policies.distinct_json import no_constant

Json = dict[str, Any]

LONG_NUMBER = re.compile(rb"[0-9]{19}")
"""What orjson may read as a float that is not the same number."""
_SPACE = re.compile(r"[ \t\r\n]*")
_COLON = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def loads(data: bytes) -> Any:
    """Parse what an upstream wrote. Half a surrogate pair is let through, because providers cut emojis in two.

    Raises ValueError.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _loads_slowly(data)


def _loads_slowly(data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def loads_object(data: bytes, exact: bool = False) -> Json:
    """Parse a JSON object of an upstream; `exact` costs time and keeps long integers. Raises UpstreamGarbled."""
    try:
        parsed = _loads_slowly(data) if exact and LONG_NUMBER.search(data) else loads(data)
    except ValueError as error:
        raise UpstreamGarbled("the provider sent what is not JSON") from error
    if not isinstance(parsed, dict):
        raise UpstreamGarbled("the provider sent JSON that is not an object")
    return parsed


def string(source: Json, name: str, default: str | None = None) -> str:
    """The string at `name`; `default` where it is missing or null. Raises KeyError, TypeError."""
    value = source.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise TypeError(f"{name} is not a string")
    return value


def dumps(value: Any) -> bytes:
    """Compact JSON. The standard library writes what orjson does not: long integers and half surrogate pairs."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return _dumps_slowly(value)


def _dumps_slowly(value: Any) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def dumps_text(value: Any) -> str:
    return dumps(value).decode()


def completed(source: Json, made: Json) -> Json:
    """`source` in its own order, and behind it what it lacks of `made`."""
    return {**source, **{name: value for name, value in made.items() if name not in source}}


def replace_members(body: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """The JSON object `body` with members replaced, added at its end, or (None) removed; the others keep their bytes.

    `body` must be valid JSON with distinct keys.
    """
    members = dict(_members(body.decode()))
    for name, value in changes.items():
        if value is not None:
            members[name] = value
        else:
            members.pop(name, None)
    return b"{" + b",".join(dumps(name) + b":" + value for name, value in members.items()) + b"}"


def member_elements(body: bytes, name: str) -> list[bytes]:
    """The bytes of each element of the array that is the member `name` of the object `body`."""
    array = dict(_members(body.decode()))[name].decode()
    return [array[start:end].encode() for start, end in _elements(array)]


def join_array(elements: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(elements) + b"]"


def replace_string(body: bytes, name: str, old: str, new: str) -> bytes | None:
    """`body` with the one literal member `"name": "old"` changed, wherever it stands; None if that is not safe.

    It is safe if that member occurs once in the whole text, and no key could be spelled with escapes.
    """
    if b"\\u00" in body:
        return None
    start = _only_value(body, b'"' + name.encode() + b'"')
    literal = dumps(old)
    if start is None or not body.startswith(literal, start):
        return None
    return body[:start] + dumps(new) + body[start + len(literal) :]


def _only_value(body: bytes, key: bytes) -> int | None:
    """Where the value of the one member with the quoted `key` begins; None if there is none, or another."""
    only: int | None = None
    # A regular expression that begins with a look-behind tries every byte; find does not.
    place = body.find(key)
    while place >= 0:
        colon = _COLON.match(body, place + len(key))
        if colon is not None and body[place - 1 : place] != b"\\":
            if only is not None:
                return None
            only = colon.end()
        place = body.find(key, place + 1)
    return only


def _members(text: str) -> Iterable[tuple[str, bytes]]:
    place = _skip(text, _skip(text, 0) + 1)
    while text[place] != "}":
        key, place = _DECODER.raw_decode(text, place)
        start = _skip(text, _skip(text, place) + 1)
        end = _DECODER.raw_decode(text, start)[1]
        yield key, text[start:end].encode()
        place = _next(text, end)


def _elements(text: str) -> Iterable[tuple[int, int]]:
    place = _skip(text, 1)
    while text[place] != "]":
        end = _DECODER.raw_decode(text, place)[1]
        yield place, end
        place = _next(text, end)


def _next(text: str, place: int) -> int:
    """Behind the comma that follows a value, or at the bracket that closes."""
    place = _skip(text, place)
    return _skip(text, place + 1) if text[place] == "," else place


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    assert match is not None
    return match.end()
