"""Two configs field by field, as people read them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Literal

Mark = Literal["same", "changed", "removed", "added"]
_NONE = object()


@dataclass(frozen=True, slots=True)
class Row:
    """One setting. `before` and `after` are empty where a side has no such setting."""

    label: str
    mark: Mark
    before: str
    after: str


def flat(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every setting of `config`, with its place in words and its value."""
    return [(row.label, row.after) for row in compare({}, config)]


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Row]:
    """Every setting of the two, in the order of `after`. A list's items stand opposite what they became."""
    return list(_compare((), before, after))


def _compare(place: tuple[str, ...], before: Any, after: Any) -> Iterator[Row]:
    sides = [side for side in (before, after) if side is not _NONE]
    if sides and all(isinstance(side, Mapping) for side in sides) and any(sides):
        yield from _mappings(place, *(side if isinstance(side, Mapping) else {} for side in (before, after)))
    elif any(_has_parts(side) for side in sides) and all(isinstance(side, list | tuple) for side in sides):
        yield from _lists(place, *(side if isinstance(side, list | tuple) else () for side in (before, after)))
    else:
        yield Row(_words(place), _mark(before, after), _text(before), _text(after))


def _mappings(place: tuple[str, ...], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Row]:
    for key in (*after, *(key for key in before if key not in after)):
        yield from _compare((*place, str(key)), before.get(key, _NONE), after.get(key, _NONE))


def _lists(place: tuple[str, ...], before: Sequence[Any], after: Sequence[Any]) -> Iterator[Row]:
    matcher = SequenceMatcher(None, [_key(item) for item in before], [_key(item) for item in after], False)
    for _, i, j, k, m in matcher.get_opcodes():
        for number, (left, right) in enumerate(zip_longest(before[i:j], after[k:m], fillvalue=_NONE)):
            at = (k if right is not _NONE else i) + number + 1
            yield from _compare((*place, str(at)), left, right)


def _has_parts(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(item, Mapping | list | tuple) for item in value)


def _key(item: Any) -> str:
    return json.dumps(item, sort_keys=True)


def _mark(before: Any, after: Any) -> Mark:
    if before is _NONE:
        return "added"
    if after is _NONE:
        return "removed"
    # True equals 1 in Python, and is another setting.
    return "same" if _key(before) == _key(after) else "changed"


def _words(place: tuple[str, ...]) -> str:
    return " · ".join(part.replace("_", " ") for part in place).capitalize()


def _text(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "not set"
        case str():
            return value or "(empty)"
        case list() | tuple():
            return "\n".join(_text(item) for item in value) or "(none)"
        case Mapping():
            return "; ".join(f"{key}: {_text(inner)}" for key, inner in value.items()) or "(none)"
        case _:
            return "" if value is _NONE else str(value)
