"""Which items of two sequences belong together: equal ones, and changed ones with what they became. Pure.

Lines that stand once on each side are anchors, as people read a diff; between them the rest is matched. The work is
bounded whatever the sequences say: models write them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence, Set
from difflib import SequenceMatcher
from itertools import pairwise, zip_longest
from typing import NamedTuple

STEPS = 3_000_000
"""Comparisons that are spent on stretches without an anchor; when they are spent, the rest counts as replaced."""
DEPTH = 32
"""How often what lies between two anchors is looked through for anchors of its own."""
ALIGNED = 24
"""Replaced stretches of up to this many items are put side by side by what they have in common."""
ALIKE = 0.3
"""The share of words that two items have in common, from which on one is what the other became."""


class Run(NamedTuple):
    """Items `start` to `end` of the left sequence, and `other` to `other_end` of the right one."""

    same: bool
    start: int
    end: int
    other: int
    other_end: int


Place = tuple[int | None, int | None]


def runs(left: Sequence[Hashable], right: Sequence[Hashable]) -> Iterator[Run]:
    """Both sequences from beginning to end, equal and unequal stretches by turns."""
    at, other = 0, 0
    for start, begin, size in _joined(_Matcher(left, right).matches()):
        if (at, other) != (start, begin):
            yield Run(False, at, start, other, begin)
        at, other = start + size, begin + size
        yield Run(True, start, at, begin, other)
    if (at, other) != (len(left), len(right)):
        yield Run(False, at, len(left), other, len(right))


def aligned(left: Sequence[Set[Hashable]], right: Sequence[Set[Hashable]]) -> Iterator[Place]:
    """The places of two replaced stretches opposite each other, given the words of each item.

    Those that are alike stand in one row; what lies between them is filled up in order. None stands where a side has
    nothing more.
    """
    at, other = 0, 0
    for i, j in [*_alike(left, right), (len(left), len(right))]:
        yield from zip_longest(range(at, i), range(other, j))
        if i < len(left):
            yield i, j
        at, other = i + 1, j + 1


def _alike(left: Sequence[Set[Hashable]], right: Sequence[Set[Hashable]]) -> list[tuple[int, int]]:
    """Pairs in order, so that the sum of what they have in common is the greatest."""
    if max(len(left), len(right)) > ALIGNED:
        return []
    best: list[list[tuple[float, tuple[tuple[int, int], ...]]]] = [[(0.0, ())] * (len(right) + 1)]
    for i, words in enumerate(left):
        row = [best[-1][0]]
        for j, others in enumerate(right):
            share = _share(words, others)
            score, pairs = best[-1][j]
            candidates = [row[-1], best[-1][j + 1]]
            if share >= ALIKE:
                candidates.append((score + share, (*pairs, (i, j))))
            row.append(max(candidates, key=lambda candidate: candidate[0]))
        best.append(row)
    return list(best[-1][-1][1])


def _share(words: Set[Hashable], others: Set[Hashable]) -> float:
    total = len(words) + len(others)
    return 2 * len(words & others) / total if total else 0.0


def _joined(matches: Iterator[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Matches that follow one another without a gap, as one."""
    start, other, size = 0, 0, 0
    for i, j, more in matches:
        if (start + size, other + size) == (i, j):
            size += more
            continue
        if size:
            yield start, other, size
        start, other, size = i, j, more
    if size:
        yield start, other, size


class _Matcher:
    def __init__(self, left: Sequence[Hashable], right: Sequence[Hashable]) -> None:
        self._left, self._right = left, right
        self._steps = STEPS

    def matches(self) -> Iterator[tuple[int, int, int]]:
        """(place on the left, place on the right, how many), in order."""
        return self._between((0, 0), (len(self._left), len(self._right)), DEPTH)

    def _between(self, start: tuple[int, int], end: tuple[int, int], depth: int) -> Iterator[tuple[int, int, int]]:
        (a, c), (b, d) = start, end
        while a < b and c < d and self._left[a] == self._right[c]:
            a, c = a + 1, c + 1
        if a > start[0]:
            yield *start, a - start[0]
        while a < b and c < d and self._left[b - 1] == self._right[d - 1]:
            b, d = b - 1, d - 1
        if a < b and c < d:
            yield from self._inside((a, c), (b, d), depth)
        if b < end[0]:
            yield b, d, end[0] - b

    def _inside(self, start: tuple[int, int], end: tuple[int, int], depth: int) -> Iterator[tuple[int, int, int]]:
        (a, c), (b, d) = start, end
        anchors = self._anchors(start, end) if depth else []
        if anchors:
            for one, other in pairwise([start, *anchors, end]):
                yield from self._between(one, other, depth - 1)
            return
        worst = (b - a) * (d - c) * min(b - a, d - c)
        if worst > self._steps:
            return
        self._steps -= worst
        for i, j, size in SequenceMatcher(None, self._left[a:b], self._right[c:d], False).get_matching_blocks():
            if size:
                yield a + i, c + j, size

    def _anchors(self, start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
        """Places of items that stand once on each side, as many as are in the same order on both."""
        left, right = self._left[start[0] : end[0]], self._right[start[1] : end[1]]
        once = {item for item, count in Counter(left).items() if count == 1}
        once &= {item for item, count in Counter(right).items() if count == 1}
        where = {item: place for place, item in enumerate(right, start[1]) if item in once}
        return _rising([(place, where[item]) for place, item in enumerate(left, start[0]) if item in once])


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of `pairs` whose second places rise as the first do."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int | None] = []
    for place, (_, other) in enumerate(pairs):
        at = bisect_left(ends, other)
        before.append(last[at - 1] if at else None)
        ends[at : at + 1] = [other]
        last[at : at + 1] = [place]
    found: list[tuple[int, int]] = []
    here = last[-1] if last else None
    while here is not None:
        found.append(pairs[here])
        here = before[here]
    return found[::-1]
