"""Blocks of both sides opposite each other, and blocks as text. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .lines import words_of
from .matching import aligned, runs

Block = Mapping[str, Any]
Mark = Literal["same", "changed", "removed", "added"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A block as it was and as it became; one of them is None where a policy took it out or put it in."""

    mark: Mark
    original: Block | None
    final: Block | None


def pair(original: Sequence[Block], final: Sequence[Block]) -> list[Pair]:
    """Both sides in order, equal blocks opposite each other, and changed ones opposite what they became."""
    return list(_pairs(original, final))


def _pairs(original: Sequence[Block], final: Sequence[Block]) -> Iterator[Pair]:
    for run in runs([_key(block) for block in original], [_key(block) for block in final]):
        before, after = original[run.start : run.end], final[run.other : run.other_end]
        if run.same:
            yield from (Pair("same", *blocks) for blocks in zip(before, after, strict=True))
            continue
        for left, right in aligned([_traits(block) for block in before], [_traits(block) for block in after]):
            yield _paired(None if left is None else before[left], None if right is None else after[right])


def _key(block: Block) -> str:
    return json.dumps(block, sort_keys=True, default=str)


def _traits(block: Block) -> frozenset[tuple[str, str]]:
    """What a block is recognised by when it was changed: its kind, and in that the words of its text."""
    kind = str(block.get("kind", ""))
    return frozenset((kind, word) for word in {"", *words_of(text_of(block))})


def _paired(original: Block | None, final: Block | None) -> Pair:
    if original is None:
        return Pair("added", None, final)
    return Pair("removed" if final is None else "changed", original, final)


def text_of(block: Block | None) -> str:
    """A block as plain text, a tool call as its name and its arguments, for comparison and for people."""
    if block is None:
        return ""
    if "text" in block:
        return "\n".join([str(block["text"]), *map(_image, block.get("images", ()))])
    if "arguments" in block:
        return f"{block.get('name', '')} {pretty(block['arguments'])}"
    return pretty(block)


def _image(image: Mapping[str, Any]) -> str:
    if image["url"]:
        return f"[image {image['url']}]"
    return f"[image {image['media_type']}, {image['size']} bytes]"


def pretty(value: object) -> str:
    """JSON indented; a string is shown as it is, unless it holds JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return str(value)
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
