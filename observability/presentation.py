"""How a record is put before people: bars of a timeline, pairs of blocks, marks within lines. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Literal

Block = Mapping[str, Any]
Mark = Literal["same", "changed", "removed", "added"]

SCALE = 1000
"""Units that the longest bar of a timeline spans, as in the viewBox of its drawing."""
LINES = 2_000
"""Lines of a block that are matched with each other; longer ones are shown side by side without it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of a call in milliseconds since its start; `x` and `width` are the same in units of SCALE."""

    label: str
    tone: str
    start: float
    end: float
    x: int
    width: int

    @property
    def ms(self) -> float:
        return self.end - self.start


def timeline(spans: Sequence[tuple[str, str, float, float]]) -> list[Bar]:
    """Bars for (label, tone, start, end), on one scale. A bar is never too thin to be seen."""
    longest = max((end for _, _, _, end in spans), default=0.0)
    return [Bar(label, tone, start, end, *_place(start, end, longest)) for label, tone, start, end in spans]


def _place(start: float, end: float, longest: float) -> tuple[int, int]:
    if longest <= 0:
        return 0, SCALE
    width = max(round((end - start) / longest * SCALE), 4)
    return min(round(start / longest * SCALE), SCALE - width), width


@dataclass(frozen=True, slots=True)
class Pair:
    """A block as it was and as it became; one of them is None where a policy took it out or put it in."""

    mark: Mark
    original: Block | None
    final: Block | None


def pair(original: Sequence[Block], final: Sequence[Block]) -> list[Pair]:
    """Both sides in order, equal blocks opposite each other, and changed ones opposite what they became."""
    matcher = SequenceMatcher(None, [_key(block) for block in original], [_key(block) for block in final], False)
    return [
        _paired(left, right)
        for _, i, j, k, m in matcher.get_opcodes()
        for left, right in zip_longest(original[i:j], final[k:m])
    ]


def _key(block: Block) -> str:
    return json.dumps(block, sort_keys=True, default=str)


def _paired(original: Block | None, final: Block | None) -> Pair:
    if original is None:
        return Pair("added", None, final)
    if final is None:
        return Pair("removed", original, None)
    return Pair("same" if _key(original) == _key(final) else "changed", original, final)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a block: `before` and `after` are what both sides share of it, `inside` is what differs."""

    mark: Mark
    before: str = ""
    inside: str = ""
    after: str = ""


def lines(original: str, final: str) -> list[tuple[Line | None, Line | None]]:
    """Two texts line by line, side by side. None stands where a side has no such line."""
    left, right = _split(original), _split(final)
    if max(len(left), len(right)) > LINES:
        return [_sides(*sides) for sides in zip_longest(left, right)]
    return list(_matched(left, right))


def _split(text: str) -> list[str]:
    # Not splitlines: it takes a dozen other characters for line ends, and drops them.
    return text.split("\n") if text else []


def _matched(left: list[str], right: list[str]) -> Iterator[tuple[Line | None, Line | None]]:
    for _, i, j, k, m in SequenceMatcher(None, left, right, False).get_opcodes():
        for sides in zip_longest(left[i:j], right[k:m]):
            yield _sides(*sides)


def _sides(left: str | None, right: str | None) -> tuple[Line | None, Line | None]:
    if left is None:
        return None, Line("added", inside=right or "")
    if right is None:
        return Line("removed", inside=left), None
    if left == right:
        return Line("same", left), Line("same", right)
    head = _shared(left, right)
    tail = _shared(left[head:][::-1], right[head:][::-1])
    return _cut(left, head, tail, "removed"), _cut(right, head, tail, "added")


def _shared(left: str, right: str) -> int:
    """With how many equal characters the two begin."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(left), len(right)))


def _cut(line: str, head: int, tail: int, mark: Mark) -> Line:
    end = len(line) - tail
    return Line(mark, line[:head], line[head:end], line[end:])


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
