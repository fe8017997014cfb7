"""A Merkle tree whose leaves can change: the hash tree of RFC 6962. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """What stands at the bottom of the tree for `data`. The prefix keeps a leaf from passing for a node."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over `leaves`, which are data, in their order."""
    return Tree(leaves).root


class Tree:
    """Keeps its inner nodes, so that a changed leaf costs a hash a level. A node without a sibling moves up."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self._levels = [[leaf_hash(leaf) for leaf in leaves]]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            self._levels.append([_parent(below, place) for place in range((len(below) + 1) // 2)])

    @property
    def root(self) -> bytes:
        return self._levels[-1][0] if self._levels[0] else EMPTY

    def change(self, place: int, leaf: bytes) -> None:
        """Put other data in `place`, from 0."""
        self._levels[0][place] = leaf_hash(leaf)
        for below, level in zip(self._levels, self._levels[1:], strict=False):
            place //= 2
            level[place] = _parent(below, place)


def _parent(below: list[bytes], place: int) -> bytes:
    pair = below[2 * place : 2 * place + 2]
    return node_hash(*pair) if len(pair) == 2 else pair[0]
