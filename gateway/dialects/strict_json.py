"""Reading a client's JSON so that what is judged is what is sent: nothing ambiguous passes."""

from __future__ import annotations

import json
from typing import Any

import orjson

from gateway.errors import BadRequest

from .unambiguous import misspelled
from .wire_json import LONG_NUMBER, Json

MAX_DEPTH = 200
MAX_CONTAINERS = 100_000
"""Objects and lists of one body. Far more than agents send; far less than would keep all other calls waiting."""


def read_object(body: bytes) -> Json:
    """The one JSON object that `body` is.

    Raises BadRequest: not JSON, invalid UTF-8 or surrogates, NaN, trailing data, a key twice at any depth, nesting
    deeper than 200, more than 100,000 objects and lists, or not an object. Integers of any length keep their value.
    """
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
    # If the parsed value is written as the very same bytes, no key was lost: none stood twice.
    if orjson.dumps(parsed) == body and not LONG_NUMBER.search(body):
        return parsed
    return _read_slowly(body)


def _read_slowly(body: bytes) -> Json:
    parsed = json.loads(body, object_pairs_hook=_distinct)
    assert isinstance(parsed, dict)
    return parsed


def _distinct(pairs: list[tuple[str, Any]]) -> Json:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BadRequest("The request body has an object with the same key twice.")
    return result


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
