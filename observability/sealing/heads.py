"""Where each chain stands, and the Merkle root over all of them. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from .merkle import Tree


class Head(NamedTuple):
    """The end of the chain `name`: its last leaf's `sequence`, and the chain's value there."""

    name: str
    sequence: int
    chain: bytes

    @property
    def leaf(self) -> bytes:
        """What the Merkle tree has of it."""
        return b"%d\0%s\0%s" % (self.sequence, self.chain, self.name.encode())


class Heads:
    """All chains, in the order of their names."""

    def __init__(self, heads: Iterable[Head] = ()) -> None:
        self._heads = {head.name: head for head in heads}
        self._build()

    def __getitem__(self, name: str) -> Head | None:
        return self._heads.get(name)

    @property
    def root(self) -> bytes:
        return self._tree.root

    def move(self, changed: Iterable[Head]) -> None:
        """These chains are longer now, or new."""
        changed = list(changed)
        known = all(head.name in self._heads for head in changed)
        self._heads.update((head.name, head) for head in changed)
        if not known:
            self._build()
            return
        for head in changed:
            self._tree.change(bisect_left(self._names, head.name), head.leaf)

    def _build(self) -> None:
        self._names = sorted(self._heads)
        self._tree = Tree(self._heads[name].leaf for name in self._names)
