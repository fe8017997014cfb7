"""Following the seals from the first to the last, and comparing them with an anchor. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

from observability.sealing.heads import Heads
from observability.sealing.statement import START, NotASeal, Seal

from .walk import Finding, Mark


class SealWalk:
    """Takes the seals in the order of their numbers; `marks` is what they say of each chain."""

    def __init__(self, keys: Collection[bytes], report: Callable[[Finding], None]) -> None:
        self.marks: defaultdict[str, list[Mark]] = defaultdict(list)
        self.last: Seal | None = None
        self.digests: dict[int, bytes] = {}
        self._keys = keys
        self._report = report
        self._heads = Heads()

    def add(self, number: int, line: str) -> None:
        try:
            seal = Seal.read(line)
        except NotASeal:
            self._report(Finding(f"seal {number}: its row holds no seal"))
            return
        wrong = self._wrong(number, seal)
        if wrong:
            self._report(Finding(f"seal {number}: {wrong}", seal.at))
        self._heads.move(seal.heads)
        if self._heads.root != seal.root and not wrong:
            self._report(
                Finding(f"seal {number}: its root is not that of the chains that it and those before name", seal.at)
            )
        for head in seal.heads:
            self.marks[head.name].append(Mark(head.sequence, head.chain, seal.number))
        self.last = seal
        self.digests[seal.number] = seal.digest

    def compare(self, anchor: Iterable[Seal]) -> int:
        """Report what the anchor has and the database has not; returns how many seals it has."""
        count = 0
        gone: list[Seal] = []
        for seal in anchor:
            count += 1
            if seal.key not in self._keys or not seal.is_signed:
                self._report(
                    Finding(f"seal {seal.number} in the anchor: it is not signed by a key that is trusted", seal.at)
                )
            elif self.digests.get(seal.number) != seal.digest:
                gone.append(seal)
        if gone:
            first, more = gone[0], f", as are {len(gone) - 1} more" if gone[1:] else ""
            end = f"ends with seal {self.last.number}" if self.last else "has no seals"
            what = f"the anchor has it from {first.at:%Y-%m-%d %H:%M:%S}, and it is gone{more}; the database {end}"
            self._report(Finding(f"seal {first.number}: {what}", first.at))
        return count

    def _wrong(self, number: int, seal: Seal) -> str:
        before = self.last
        if seal.number != number:
            return f"its row holds seal {seal.number}"
        if number != (before.number + 1 if before else 1):
            return "the one before it is gone"
        if seal.previous != (before.digest if before else START):
            return "the one before it is not the one that it follows"
        if seal.key not in self._keys:
            return f"it is signed by {seal.key.hex()}, which is not trusted (--key trusts it)"
        if not seal.is_signed:
            return "its signature is wrong"
        return ""
