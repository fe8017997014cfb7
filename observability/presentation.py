"""How a record is put before people: pairs of blocks, marks within lines. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from observability.line_diff import words_of
from observability.matching import aligned, runs

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
        return str(block["text"])
    if "arguments" in block:
        return f"{block.get('name', '')} {pretty(block['arguments'])}"
    return pretty(block)


def pretty(value: object) -> str:
    """JSON indented; a string is shown as it is, unless it holds JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return str(value)
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def visible(text: str) -> str:
    """`text` with what would not be seen made to be: control characters, and those that hide or turn around others.

    Models are steered, and readers misled, by characters that a page shows as nothing.
    """
    return text.replace("\r\n", "\n").translate(_VISIBLE)


_VISIBLE = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"} | {0x7F: "\N{SYMBOL FOR DELETE}"}
_HIDDEN = (
    *range(0x80, 0xA0),  # C1 controls
    *(0xAD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF),
    *range(0x202A, 0x202F),  # embedding and override of direction
    *range(0x2060, 0x2070),  # invisible operators, isolates of direction
    *range(0xE0000, 0xE0080),  # tags: a whole invisible ASCII
    *range(0xE0100, 0xE01F0),  # variation selectors, which carry bytes unseen
)
_VISIBLE |= {code: f"[U+{code:04X}]" for code in _HIDDEN}

OUTCOME_TONES = {
    "finished": "allowed",
    "blocked": "blocked",
    "refused": "blocked",
    "open": "idle",
    "cancelled": "idle",
}
ACTION_TONES = {
    "allow": "allowed",
    "replace": "changed",
    "reroute": "changed",
    "retry": "changed",
    "respond": "changed",
    "block": "blocked",
    "stop": "blocked",
    "refuse": "blocked",
    "dropped": "changed",
    "not_reached": "idle",
    "asked": "idle",
}
ACTIONS = (*ACTION_TONES, "failed_open", "failed_closed")
"""All that may stand on record as a policy's decision."""


def outcome_tone(outcome: str) -> str:
    """The colour of an outcome; what is neither good nor decided by a policy has failed."""
    return OUTCOME_TONES.get(outcome, "failed")


def action_tone(action: str) -> str:
    """The colour of a policy's decision."""
    return ACTION_TONES.get(action, "failed")
