"""A block of the record as people read it. Pure.

A block is a dict as `diffs.blocks` makes it; `templates/calls/block.html` shows it, cut by `brief` or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from observability.diffs.pairs import Block, pretty

EXCERPT = 6_000
"""Characters of a text that a page shows before somebody asks for the whole."""
SHORT = 80
"""Characters that still stand beside a name, on its line."""


@dataclass(frozen=True, slots=True)
class Field:
    """An argument of a tool call. `text` is a string as it is, line breaks and all, and anything else as JSON."""

    name: str
    text: str

    @property
    def is_short(self) -> bool:
        return len(self.text) <= SHORT and "\n" not in self.text


def fields(arguments: object) -> list[Field] | None:
    """A tool call's arguments one by one; None where they are no object, but what the model wrote instead of one."""
    if not isinstance(arguments, Mapping):
        return None
    return [Field(str(name), value if isinstance(value, str) else pretty(value)) for name, value in arguments.items()]


def brief(block: Block) -> Block:
    """The block with each of its texts cut at EXCERPT; `more` counts the characters that were left out, if any."""
    cut, more = {}, 0
    for name, value in block.items():
        if name in ("text", "arguments"):
            cut[name], left = _brief(value)
            more += left
    return {**block, **cut, "more": more} if more else block


def _brief(value: object) -> tuple[Any, int]:
    """`value` shortened, and how many characters that took away."""
    if isinstance(value, Mapping):
        cut = {name: _brief(each) for name, each in value.items()}
        return {name: each for name, (each, _) in cut.items()}, sum(left for _, left in cut.values())
    text = value if isinstance(value, str) else pretty(value)
    return (value, 0) if len(text) <= EXCERPT else (text[:EXCERPT], len(text) - EXCERPT)
