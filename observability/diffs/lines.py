"""Two texts line by line: rows that stand opposite each other, folded where nothing changed. Pure.

What is sent to a page is bounded, not what is compared: rows are places of lines, and only those shown become lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple

from observability.bodies.payloads import common_head, common_tail

from .matching import Place, Run, aligned, runs

CONTEXT = 3
"""Unchanged lines that stay before and behind a change."""
FOLD = 4
"""Fewer unchanged lines than this are not folded."""
CHANGED = 400
"""Changed rows that are shown at first."""
KEPT = 160
"""Characters that stay of what both lines share, beside what differs."""
LONG = 1_000
"""Characters that are shown of a line without a counterpart, or that is the same on both sides."""
INSIDE = 20_000
"""Characters that are shown of what differs within a line."""
WORDS = 4_000
"""Characters of a line by which it is matched with others."""

WORD = 100
"""Characters of a word; what is longer may be cut by a mark."""

_WORD = re.compile(r"\w+")
Mark = Literal["same", "removed", "added"]


class Line(NamedTuple):
    """One line. What differs is `inside`, between what both sides share; `skipped` counts characters left out."""

    mark: Mark
    number: int
    before: str = ""
    inside: str = ""
    after: str = ""
    skipped_before: int = 0
    skipped_inside: int = 0
    skipped_after: int = 0


class Row(NamedTuple):
    """Lines opposite each other. `is_pair` says that they share something, so that words within may be compared."""

    left: Line | None
    right: Line | None
    is_pair: bool = False

    @property
    def sides(self) -> tuple[Line | None, Line | None]:
        return self.left, self.right


class Group(NamedTuple):
    """Rows `start` to `end`: a `change`, the `same` around it, or a `fold` whose rows are left out.

    A fold `is_change` where what it hides differs.
    """

    kind: Literal["same", "change", "fold"]
    start: int
    end: int
    rows: tuple[Row, ...] = ()
    is_change: bool = False

    @property
    def size(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class _Places:
    same: bool
    left: int | None
    right: int | None


class LineDiff:
    """`original` and `final` compared; their rows are addressed by their numbers from 0."""

    def __init__(self, original: str, final: str) -> None:
        self._left, self._right = split(original), split(final)
        self._rows = [place for run in runs(self._left, self._right) for place in self._placed(run)]

    def __len__(self) -> int:
        return len(self._rows)

    def groups(self) -> Iterator[Group]:
        """All of it, with what did not change folded, and what is behind CHANGED rows that did."""
        start, room = 0, CHANGED
        for same, places in groupby(self._rows, lambda row: row.same):
            end = start + len(list(places))
            if same:
                yield from self._around(start, end)
            elif end - start <= room:
                yield self._group("change", start, end)
                room -= end - start
            else:
                yield from self._cut_off(start, room)
                return
            start = end

    def window(self, start: int, end: int, most: int) -> Iterator[Group]:
        """Rows `start` to `end` unfolded, `most` of them; the others remain a fold; there may be fewer."""
        start, end = max(start, 0), min(end, len(self._rows))
        shown = min(end, start + most)
        at = start
        for same, places in groupby(self._rows[start:shown], lambda row: row.same):
            upto = at + len(list(places))
            yield self._group("same" if same else "change", at, upto)
            at = upto
        yield from self._fold(shown, end)

    def _placed(self, run: Run) -> Iterator[_Places]:
        if run.same:
            both = zip(range(run.start, run.end), range(run.other, run.other_end), strict=True)
            yield from (_Places(True, *places) for places in both)
            return
        for left, right in _opposite(self._left[run.start : run.end], self._right[run.other : run.other_end]):
            yield _Places(False, _moved(left, run.start), _moved(right, run.other))

    def _around(self, start: int, end: int) -> Iterator[Group]:
        head = start + (CONTEXT if start else 0)
        tail = end - (CONTEXT if end < len(self._rows) else 0)
        if tail - head < FOLD:
            yield self._group("same", start, end)
            return
        if start < head:
            yield self._group("same", start, head)
        yield from self._fold(head, tail)
        if tail < end:
            yield self._group("same", tail, end)

    def _cut_off(self, start: int, room: int) -> Iterator[Group]:
        if room:
            yield self._group("change", start, start + room)
        yield from self._fold(start + room, len(self._rows))

    def _fold(self, start: int, end: int) -> Iterator[Group]:
        if start < end:
            yield Group("fold", start, end, is_change=not self._rows[start].same)

    def _group(self, kind: Literal["same", "change"], start: int, end: int) -> Group:
        return Group(kind, start, end, tuple(self._row(places) for places in self._rows[start:end]))

    def _row(self, row: _Places) -> Row:
        if row.left is None or row.right is None:
            return Row(_alone("removed", self._left, row.left), _alone("added", self._right, row.right))
        left, right = self._left[row.left], self._right[row.right]
        if row.same:
            line = _short("same", row.left + 1, left)
            return Row(line, line._replace(number=row.right + 1))
        head, tail = _shared_ends(left, right)
        return Row(
            _cut("removed", row.left + 1, left, head, tail), _cut("added", row.right + 1, right, head, tail), True
        )


def split(text: str) -> list[str]:
    """The lines of a text. Only a line feed ends one: others are shown, and would be dropped by splitlines."""
    return text.replace("\r\n", "\n").split("\n") if text else []


def words_of(text: str) -> frozenset[str]:
    """The words that a text is matched by."""
    return frozenset(_WORD.findall(text[:WORDS]))


def _opposite(left: Sequence[str], right: Sequence[str]) -> Iterator[Place]:
    return aligned([words_of(line) for line in left], [words_of(line) for line in right])


def _moved(place: int | None, by: int) -> int | None:
    return None if place is None else place + by


def _alone(mark: Mark, lines: Sequence[str], place: int | None) -> Line | None:
    return None if place is None else _short(mark, place + 1, lines[place])


def _short(mark: Mark, number: int, text: str) -> Line:
    return Line(mark, number, text[:LONG], skipped_after=max(len(text) - LONG, 0))


def _shared_ends(left: str, right: str) -> tuple[int, int]:
    """How many characters both lines begin with, and end with, in whole words."""
    shorter = min(len(left), len(right))
    head = common_head(left, right, shorter)
    if any(_is_word(text[head : head + 1]) for text in (left, right)):
        head -= _word(left[max(head - WORD, 0) : head][::-1])
    tail = common_tail(left, right, shorter - head)
    if any(_is_word(text[max(len(text) - tail - 1, 0) : len(text) - tail]) for text in (left, right)):
        tail -= _word(left[len(left) - tail :][:WORD])
    return head, tail


def _word(text: str) -> int:
    """How many characters of a word `text` begins with."""
    return next((place for place, character in enumerate(text) if not _is_word(character)), len(text))


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _cut(mark: Mark, number: int, text: str, head: int, tail: int) -> Line:
    before, inside, after = text[:head], text[head : len(text) - tail], text[len(text) - tail :]
    return Line(
        mark,
        number,
        before[-KEPT:],
        inside[:INSIDE],
        after[:KEPT],
        max(head - KEPT, 0),
        max(len(inside) - INSIDE, 0),
        max(tail - KEPT, 0),
    )
