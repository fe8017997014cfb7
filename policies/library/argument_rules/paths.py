"""Values in arguments, by a path such as `options.*.url`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def values(arguments: Any, path: str) -> Iterator[Any]:
    """What stands at `path`. `*` is any key or place in a list, `**` any number of them, none among these."""
    return _values(arguments, path.split("."))


def texts(value: Any) -> Iterator[str]:
    """`value` as text; of objects and lists all that is in them. Numbers and such are written as in JSON."""
    if isinstance(value, dict | list):
        for inner in _inside(value):
            yield from texts(inner)
    else:
        yield value if isinstance(value, str) else json.dumps(value)


def _values(value: Any, steps: list[str]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    step, *rest = steps
    if step == "**":
        yield from _values(value, rest)
        for inner in _inside(value):
            yield from _values(inner, steps)
    elif step == "*":
        for inner in _inside(value):
            yield from _values(inner, rest)
    elif isinstance(value, dict) and step in value:
        yield from _values(value[step], rest)
    elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        yield from _values(value[int(step)], rest)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
