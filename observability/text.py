"""Values that a database takes: PostgreSQL refuses NUL and lone surrogates, and indexes refuse long values. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson

NAME_LIMIT = 300
TEXT_LIMIT = 20_000
_INT64 = 2**63


def clean(text: str, limit: int = TEXT_LIMIT) -> str:
    """`text`, cut to `limit` characters, with what no database takes replaced."""
    if len(text) > limit:
        text = text[:limit]
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text


def clean_name(text: str) -> str:
    """`text` as an indexed column takes it."""
    return clean(text, NAME_LIMIT)


def clean_number(number: int) -> int:
    """`number` as a column takes it: an upstream may claim anything."""
    return min(max(number, -_INT64), _INT64 - 1)


def number_of(count: int, one: str, many: str = "") -> str:
    """`1 row`, `2,000 rows`; `many` is the plural where it is not `one` and an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def json_text(value: Any) -> str:
    """`value` as canonical JSON; what JSON cannot say becomes text."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except (TypeError, ValueError):
        return orjson.dumps(_plain(value, depth=20), option=orjson.OPT_SORT_KEYS).decode()


def plain(value: Any) -> Any:
    """`value` as JSON can say it; what it cannot say becomes text."""
    try:
        orjson.dumps(value)
    except (TypeError, ValueError):
        return _plain(value, depth=20)
    return value


def _plain(value: Any, depth: int) -> Any:
    if depth == 0:
        return "..."
    match value:
        case None | bool():
            return value
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case int():
            return value if -_INT64 <= value < _INT64 else str(value)
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(_plain(str(key), 1)): _plain(item, depth - 1) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item, depth - 1) for item in value]
        case _:
            return f"<{type(value).__name__}>"
