"""Reading a client's JSON so that what is judged is what is sent: nothing ambiguous passes."""

from __future__ import annotations

import json
from typing import Any

import orjson

from gateway.errors import BadRequest

from .unambiguous import misspelled
from .wire_json import LONG_NUMBER, Json

MAX_DEPTH = 200


def read_object(body: bytes) -> Json:
    """The one JSON object that `body` is.

    Raises BadRequest: not JSON, invalid UTF-8 or surrogates, NaN, trailing data, a key twice at any depth, nesting
    deeper than 200, or not an object. Integers of any length keep their value.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest("The request body is not valid JSON.") from error
    if not isinstance(parsed, dict):
        raise BadRequest("The request body must be a JSON object.")
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _too_deep(parsed):
        raise BadRequest(f"The request body is nested deeper than {MAX_DEPTH} levels.")
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


def _too_deep(parsed: Json) -> bool:
    level: list[Any] = [parsed]
    for _ in range(MAX_DEPTH):
        level = [child for value in level for child in _children(value)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    values = value.values() if isinstance(value, dict) else value
    return [child for child in values if isinstance(child, dict | list)]
