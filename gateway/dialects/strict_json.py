"""Reading a client's JSON so that what is judged is what is sent: nothing ambiguous passes."""

from __future__ import annotations

from typing import Any

import orjson

from gateway.errors import BadRequest
from policies import distinct_json

from .unambiguous import misspelled
from .wire_json import Json

MAX_DEPTH = 200
MAX_CONTAINERS = 100_000
"""Objects and lists of one body. Far more than agents send; far less than would keep all other calls waiting."""
MAX_VALUES = 500_000
"""Values of a large body, counted before it is parsed: parsing keeps the interpreter to itself until it is done."""
LARGE = 512 * 1024
"""Bytes from which a body is counted first, and is better read in a thread: see MAX_VALUES."""
_SLICE = 256 * 1024


def read_object(body: bytes) -> Json:
    """The one JSON object that `body` is.

    Raises BadRequest: not JSON, invalid UTF-8 or surrogates, NaN, trailing data, a key twice at any depth, nesting
    deeper than 200, more than 100,000 objects and lists, or not an object; of a body of more than LARGE bytes also
    more than 500,000 values. Integers of any length keep their value.
    """
    if len(body) > LARGE:
        _check_count(body)
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest("The request body is not valid JSON.") from error
    if not isinstance(parsed, dict):
        raise BadRequest("The request body must be a JSON object.")
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _check_size(parsed)
    if name := misspelled(parsed):
        raise BadRequest(f"The request body has a field {name[:40]!r}: names are written in small letters.")
    # Written as the very same bytes, nothing was lost: no key stood twice, and no number was too long.
    if orjson.dumps(parsed) == body:
        return parsed
    return _read_slowly(body)


def _read_slowly(body: bytes) -> Json:
    try:
        parsed = distinct_json.loads(body.decode())
    except distinct_json.KeyTwice:
        raise BadRequest("The request body has an object with the same key twice.") from None
    assert isinstance(parsed, dict)
    return parsed


def _check_count(body: bytes) -> None:
    """Raises BadRequest where there are too many values. A comma or a bracket in a text is none, but costs a look."""
    if _signs(body) <= MAX_VALUES:
        return
    left, in_text, half = MAX_VALUES, False, b""
    for start in range(0, len(body), _SLICE):
        piece = (half + body[start : start + _SLICE]).replace(rb"\\", b"")
        half = b"\\" if piece.endswith(b"\\") else b""
        parts = piece.removesuffix(half).replace(rb"\"", b"").split(b'"')
        left -= _signs(b"".join(parts[in_text::2]))
        if left < 0:
            raise BadRequest(f"The request body has more than {MAX_VALUES} values.")
        in_text ^= len(parts) % 2 == 0


def _signs(text: bytes) -> int:
    """At least the number of values, but for the first one."""
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _check_size(parsed: Json) -> None:
    level: list[Any] = [parsed]
    left = MAX_CONTAINERS
    for _ in range(MAX_DEPTH):
        left -= len(level)
        if left < 0:
            raise BadRequest(f"The request body has more than {MAX_CONTAINERS} objects and lists.")
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    raise BadRequest(f"The request body is nested deeper than {MAX_DEPTH} levels.")


def _children(value: Any) -> list[Any]:
    values = value.values() if isinstance(value, dict) else value
    return [child for child in values if isinstance(child, dict | list)]
