"""Which files a tool changes that edits files. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from .patches import patched

_LOOKS = frozenset({"view", "read"})
_PATCHES = frozenset({"input", "patch", "diff", "patchtext"})


def looks(name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a tool that can both show and edit is asked to show."""
    return ("str_replace" in name or "editor" in name) and str(arguments.get("command")).lower() in _LOOKS


def edited(arguments: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[str]:
    """The paths under `keys` at any depth, names in a mapping among them, and those that patches name."""
    wanted = frozenset(map(_name, keys))
    waiting: list[tuple[str, bool, Any]] = [("", False, dict(arguments))]
    while waiting:
        key, is_path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(_name(inner), _name(inner) in wanted, item) for inner, item in value.items()]
            yield from value if is_path else ()
        elif isinstance(value, list):
            waiting += [(key, is_path, item) for item in value]
        elif isinstance(value, str):
            if is_path:
                yield _path(value)
            if key in _PATCHES:
                yield from patched(value)


def _name(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def _path(value: str) -> str:
    return unquote(value.partition("://")[2]) if value.lower().startswith("file://") else value
