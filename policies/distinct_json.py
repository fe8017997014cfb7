"""JSON that every parser reads alike: no key stands twice, and no constant that JSON does not have. Pure."""

from __future__ import annotations

import json
from typing import Any


class KeyTwice(ValueError):
    """Some parsers would take the first of the two values, some the last."""


def loads(text: str) -> Any:
    """Parse `text`, with integers of any length. Raises KeyTwice, ValueError, and RecursionError on deep nesting."""
    return _DECODER.decode(text)


def no_constant(name: str) -> Any:
    """For the standard library's parser, which would take NaN and Infinity. Raises ValueError."""
    raise ValueError(f"{name} is not JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise KeyTwice("a key stands twice")
    return result


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=no_constant)
