"""What the diff page shows: blocks of both sides opposite each other, line by line, with what is the same folded. Pure.

A fold says where it stands, as `Place` does; whoever opens it asks for that place alone, so that a page stays as small
as what changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, NamedTuple

from .lines import Group, LineDiff
from .pairs import Block, Pair, pair, text_of

MOST_BLOCKS = 50
"""Blocks that are shown when a fold is opened; the others remain folded."""
MOST_ROWS = 1_000
"""Lines that are shown when a fold is opened."""
MOST_CHANGED = 2_000
"""Lines of changed blocks that are shown at first; blocks behind them are folded."""
FEW = 6
"""Blocks that have nothing to be compared with are not folded where they are as few."""
FIRST_ROWS = 24
"""Lines of an unchanged block that are shown with it."""


class Place(NamedTuple):
    """Where something folded stands: blocks, or with `block` the rows of that one, from `start` to `end`."""

    start: int
    end: int
    block: int | None = None

    @classmethod
    def read(cls, blocks: str, block: str, rows: str) -> Place:
        """Of a query: `blocks=3-9`, or `block=3&rows=40-80`. Raises ValueError."""
        start, _, end = (rows if block else blocks).partition("-")
        numbers = [int(each) for each in (start, end, block or "0")]
        if min(numbers) < 0:
            raise ValueError("places begin at 0")
        return cls(numbers[0], numbers[1], numbers[2] if block else None)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a comparison: both sides block by block, and what there is to say of it.

    Where it `is_alone` there is nothing yet to compare it with, and both sides are the same.
    """

    id: str
    title: str
    original: Sequence[Block]
    final: Sequence[Block]
    note: str = ""
    is_alone: bool = False


class Compared(NamedTuple):
    """A block, or a fold of those from `start` to `end`. One whose `mark` is `same` has its text once."""

    kind: Literal["block", "fold"]
    start: int
    end: int
    mark: str = "same"
    caption: str = ""
    groups: tuple[Group, ...] = ()

    @property
    def size(self) -> int:
        return self.end - self.start

    @property
    def is_change(self) -> bool:
        return self.mark != "same"


def shown(section: Section) -> dict[str, Any]:
    """The section as the page has it: `changes` counts changed blocks."""
    pairs = pair(section.original, section.final)
    changes = sum(each.mark != "same" for each in pairs)
    is_unfolded = section.is_alone and len(pairs) <= FEW
    blocks = _unfolded(pairs, 0, len(pairs)) if is_unfolded else _folded(pairs)
    return {"section": section, "changes": changes, "blocks": list(blocks)}


def opened(section: Section, place: Place) -> dict[str, Any]:
    """What stands at `place`: `blocks`, or the `groups` of rows of one block."""
    pairs = pair(section.original, section.final)
    if place.block is not None:
        if place.block >= len(pairs):
            return {"section": section, "groups": []}
        groups = _lines(pairs[place.block]).window(place.start, place.end, MOST_ROWS)
        return {"section": section, "block": place.block, "groups": list(groups)}
    return {"section": section, "blocks": list(_unfolded(pairs, place.start, min(place.end, len(pairs))))}


def json_block(value: Any) -> Block:
    """`value` as a block whose text is JSON, indented, its keys in order, so that only what differs differs."""
    return {"kind": "json", "text": json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str)}


def body_block(raw: bytes) -> Block:
    """A recorded body as `json_block`; one that is not JSON as the text that it is."""
    try:
        return json_block(json.loads(raw))
    except (ValueError, RecursionError):
        return {"kind": "body", "text": raw.decode(errors="replace")}


def _folded(pairs: Sequence[Pair]) -> Iterator[Compared]:
    lines = 0
    for same, group in groupby(range(len(pairs)), lambda number: pairs[number].mark == "same"):
        numbers = list(group)
        if same:
            yield _fold(numbers[0], numbers[-1] + 1, pairs)
            continue
        for number in numbers:
            if lines >= MOST_CHANGED:
                yield _fold(number, numbers[-1] + 1, pairs)
                break
            compared = _compared(number, pairs[number])
            lines += sum(len(rows.rows) for rows in compared.groups)
            yield compared


def _unfolded(pairs: Sequence[Pair], start: int, end: int) -> Iterator[Compared]:
    upto = min(end, start + MOST_BLOCKS)
    yield from (_compared(number, pairs[number]) for number in range(start, upto))
    if upto < end:
        yield _fold(upto, end, pairs)


def _fold(start: int, end: int, pairs: Sequence[Pair]) -> Compared:
    kinds = dict.fromkeys(_kind(each) for each in pairs[start:end])
    return Compared("fold", start, end, pairs[start].mark, ", ".join(kinds))


def _compared(number: int, each: Pair) -> Compared:
    lines = _lines(each)
    groups = lines.groups() if each.mark != "same" else lines.window(0, len(lines), FIRST_ROWS)
    return Compared("block", number, number + 1, each.mark, _caption(each), tuple(groups))


def _lines(each: Pair) -> LineDiff:
    return LineDiff(text_of(each.original), text_of(each.final))


def _caption(each: Pair) -> str:
    block = each.original or each.final or {}
    whose = str(block.get("role") or "")
    if "choice" in block:
        whose = f"choice {block['choice'] + 1}"
    return f"{whose} · {_kind(each)}" if whose else _kind(each)


def _kind(each: Pair) -> str:
    kinds = (block.get("kind", "block") for block in (each.original, each.final) if block is not None)
    return " became ".join(dict.fromkeys(str(kind).replace("_", " ") for kind in kinds))
