"""Following one chain from its first leaf to its last, and saying where it does not hold. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from observability.rows.chain import START
from observability.sealing.tombstones import Range


class Finding(NamedTuple):
    """What is wrong, in a sentence, and when what is wrong was recorded, as far as anybody knows."""

    what: str
    at: datetime | None = None


class Leaf(NamedTuple):
    """A row's place in a chain, as the row says it. `name` says which row, `at` when it was made."""

    sequence: int
    leaf: bytes
    chain: bytes
    name: str
    at: datetime | None = None


class Mark(NamedTuple):
    """What a seal says of a chain: its value at a leaf."""

    sequence: int
    chain: bytes
    seal: int


class Walk:
    """Takes the leaves of one chain in any order; those that come early wait.

    Each step is recomputed and compared with what the row says, and with `marks`, which are in order. Leaves in `gaps`
    were removed on purpose. What is wrong is told to `report`; behind it the chain is followed from what is there.
    """

    def __init__(
        self, name: str, report: Callable[[Finding], None], marks: Sequence[Mark] = (), gaps: Iterable[Range] = ()
    ) -> None:
        self.name = name
        self.removed = 0
        self._report = report
        self._marks = marks
        self._mark = 0
        self._gaps = {gap.first: gap for gap in gaps}
        self._next = 1
        self._value = START
        self._last: Leaf | None = None
        self._waiting: dict[int, Leaf] = {}
        self._believed = True

    @property
    def length(self) -> int:
        """How many leaves there are, those that were removed included."""
        return self._next - 1

    @property
    def sealed(self) -> int:
        """How many of them a seal covers."""
        return min(self._marks[-1].sequence, self.length) if self._marks else 0

    def add(self, leaf: Leaf) -> None:
        if leaf.sequence < self._next or leaf.sequence in self._waiting:
            self._report(
                Finding(f"{leaf.name}: was put in, another row is leaf {leaf.sequence} of {self.name}", leaf.at)
            )
            return
        self._waiting[leaf.sequence] = leaf
        self._advance()

    def end(self, published: int = 0) -> None:
        """There are no more leaves. `published` is how many the writer said there are."""
        self._advance()
        while known := [*self._waiting, *(first for first in self._gaps if first >= self._next)]:
            first = min(known)
            self._missing(first - 1, "")
            leaf = self._waiting.pop(first, None)
            if leaf is not None:
                self._pass(leaf.sequence, leaf.chain, leaf)
            else:
                self._next = first
            self._advance()
        if self._marks and self._marks[-1].sequence >= self._next:
            mark = self._marks[-1]
            self._missing(mark.sequence, f"; seal {mark.seal} covers {mark.sequence}")
        elif published >= self._next:
            self._missing(published, f"; the writer said that there are {published}")

    def _advance(self) -> None:
        while True:
            leaf = self._waiting.pop(self._next, None)
            if leaf is None:
                gap = self._gaps.get(self._next)
                if gap is None:
                    return
                self.removed += gap.last - gap.first + 1
                self._pass(gap.last, gap.chain, None)
                continue
            if hashlib.sha256(self._value + leaf.leaf).digest() != leaf.chain:
                where = f"leaf {leaf.sequence} of {self.name}"
                self._report(Finding(f"{leaf.name}: does not follow what stands before it ({where})", leaf.at))
            self._pass(leaf.sequence, leaf.chain, leaf)

    def _pass(self, sequence: int, chain: bytes, leaf: Leaf | None) -> None:
        """The chain has come to `sequence`, with this value."""
        self._next, self._value, self._last = sequence + 1, chain, leaf or self._last
        while self._mark < len(self._marks) and self._marks[self._mark].sequence <= sequence:
            mark = self._marks[self._mark]
            self._mark += 1
            if mark.sequence == sequence and mark.chain != chain and self._believed:
                self._believed = False
                name = leaf.name if leaf else f"leaf {sequence} of {self.name}"
                since = self._marks[self._mark - 2].sequence + 1 if self._mark > 1 else 1
                what = (
                    f"seal {mark.seal} covers something else; edited are leaves of {since} to {sequence} of {self.name}"
                )
                self._report(Finding(f"{name}: {what}", leaf.at if leaf else None))

    def _missing(self, last: int, why: str) -> None:
        which = f"leaf {self._next}" if last == self._next else f"leaves {self._next} to {last}"
        behind = f", behind {self._last.name}" if self._last else ""
        gone = "is" if last == self._next else "are"
        at = self._last.at if self._last else None
        self._report(Finding(f"{which} of {self.name} {gone} gone{behind}{why}", at))
