"""The scripts in a tool call's arguments, rewritten in their places. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any


def with_scripts(value: Any, keys: frozenset[str], rewrite: Callable[[str], str], under: str = "") -> Any:
    """`value` with `rewrite` applied to the scripts under `keys`; `under` is the key that it stands under.

    A list of texts is one command's words, unless its key is a plural: then it is a script each.
    """
    match value:
        case dict():
            return {
                key: with_scripts(item, keys, rewrite, key.lower() if key.lower() in keys else "")
                for key, item in value.items()
            }
        case list() if under and not under.endswith("s") and all(isinstance(item, str) for item in value):
            return _words(value, rewrite)
        case list():
            return [with_scripts(item, keys, rewrite, under) for item in value]
        case str() if under:
            return rewrite(value)
        case _:
            return value


def _words(words: list[str], rewrite: Callable[[str], str]) -> list[str]:
    joined = shlex.join(words)
    changed = rewrite(joined)
    return words if changed == joined else shlex.split(changed)
