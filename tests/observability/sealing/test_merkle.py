"""The tree against the recursive definition of RFC 6962, for every size."""

import hashlib

import pytest

from observability.sealing.merkle import EMPTY, Tree, root


def by_definition(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(20))
def test_the_root_is_that_of_the_standard(size: int) -> None:
    leaves = [b"leaf %d" % number for number in range(size)]
    assert root(leaves) == by_definition(leaves)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13])
def test_a_changed_leaf_changes_the_root_as_if_it_had_always_been_so(size: int) -> None:
    leaves = [b"leaf %d" % number for number in range(size)]
    tree = Tree(leaves)
    for place in range(size):
        leaves[place] = b"another %d" % place
        tree.change(place, leaves[place])
        assert tree.root == by_definition(leaves)


def test_no_leaves_have_a_root_too() -> None:
    assert Tree(()).root == EMPTY
