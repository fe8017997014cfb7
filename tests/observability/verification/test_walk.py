from __future__ import annotations

import random

import pytest

from observability.rows.chain import Chain
from observability.sealing.tombstones import Range
from observability.verification.walk import Finding, Leaf, Mark, Walk


def leaves(count: int) -> list[Leaf]:
    chain = Chain("boot")
    return [
        Leaf(link.sequence, link.leaf, link.chain, f"call {link.sequence}") for link in map(chain.extend, _leaf(count))
    ]


def _leaf(count: int) -> list[bytes]:
    return [bytes((number,)) * 32 for number in range(1, count + 1)]


TEN = leaves(10)
MARKS = [Mark(4, TEN[3].chain, 1), Mark(8, TEN[7].chain, 2)]


def walk(rows: list[Leaf], published: int = 0, **kwargs: object) -> tuple[Walk, list[str]]:
    found: list[Finding] = []
    walked = Walk("boot", found.append, **({"marks": MARKS} | kwargs))  # type: ignore[arg-type]
    for row in rows:
        walked.add(row)
    walked.end(published)
    return walked, [finding.what for finding in found]


def test_a_whole_chain_holds_in_whatever_order_its_rows_come() -> None:
    rows = TEN[:]
    random.Random(1).shuffle(rows)
    walked, found = walk(rows)
    assert (found, walked.length, walked.sealed) == ([], 10, 8)


def test_an_empty_chain_holds() -> None:
    walked, found = walk([], marks=())
    assert (found, walked.length, walked.sealed) == ([], 0, 0)


@pytest.mark.parametrize("place", range(10))
def test_a_row_that_is_gone_is_named_unless_nobody_knew_of_it(place: int) -> None:
    _, found = walk([row for row in TEN if row is not TEN[place]], published=9)
    behind = f", behind call {place}" if place else ""
    assert found == ([] if place == 9 else [f"leaf {place + 1} of boot is gone{behind}"])


def test_a_sealed_end_that_is_gone_is_named_with_its_seal() -> None:
    assert walk(TEN[:6])[1] == ["leaves 7 to 8 of boot are gone, behind call 6; seal 2 covers 8"]
    assert walk([])[1] == ["leaves 1 to 8 of boot are gone; seal 2 covers 8"]


def test_a_published_end_that_is_gone_is_named() -> None:
    assert walk(TEN[:8], published=10)[1] == [
        "leaves 9 to 10 of boot are gone, behind call 8; the writer said that there are 10"
    ]


def test_two_rows_in_one_place_are_one_too_many() -> None:
    said = "call 3: was put in, another row is leaf 3 of boot"
    assert walk([*TEN, TEN[2]])[1] == [said]
    assert walk([TEN[2], TEN[2], *TEN[:2], *TEN[3:]])[1] == [said]


def test_swapped_rows_follow_nothing() -> None:
    one, two = TEN[4], TEN[5]
    swapped = [*TEN[:4], two._replace(sequence=5), one._replace(sequence=6), *TEN[6:]]
    assert walk(swapped)[1][0] == "call 6: does not follow what stands before it (leaf 5 of boot)"


def test_another_leaf_breaks_the_chain_and_is_told_once() -> None:
    rows = [*TEN[:4], TEN[4]._replace(leaf=b"x"), *TEN[5:]]
    assert walk(rows)[1] == ["call 5: does not follow what stands before it (leaf 5 of boot)"]


def test_a_chain_that_was_made_anew_is_not_the_sealed_one() -> None:
    chain = Chain("boot")
    links = map(chain.extend, [*_leaf(5), b"forged", *_leaf(10)[6:]])
    forged = [Leaf(link.sequence, link.leaf, link.chain, f"call {link.sequence}") for link in links]
    assert walk(forged)[1] == ["call 8: seal 2 covers something else; edited are leaves of 5 to 8 of boot"]
    first = Chain("boot").extend(b"forged")
    assert walk([Leaf(*first[1:], "call 1")], marks=[Mark(1, TEN[0].chain, 7)])[1] == [
        "call 1: seal 7 covers something else; edited are leaves of 1 to 1 of boot"
    ]


@pytest.mark.parametrize(("first", "last"), [(1, 1), (3, 6), (4, 4), (9, 10), (1, 10)])
def test_what_a_tombstone_names_may_be_gone(first: int, last: int) -> None:
    gaps = [Range("boot", first, last, TEN[last - 1].chain)]
    walked, found = walk([row for row in TEN if not first <= row.sequence <= last], gaps=gaps)
    assert (found, walked.length, walked.removed) == ([], 10, last - first + 1)


def test_a_tombstone_with_another_value_is_found() -> None:
    gaps = [Range("boot", 3, 4, b"x" * 32)]
    found = walk([*TEN[:2], *TEN[4:]], gaps=gaps)[1]
    assert found == [
        "leaf 4 of boot: seal 1 covers something else; edited are leaves of 1 to 4 of boot",
        "call 5: does not follow what stands before it (leaf 5 of boot)",
    ]


def test_what_was_removed_does_not_hide_what_is_gone_before_it() -> None:
    gaps = [Range("boot", 4, 6, TEN[5].chain), Range("boot", 9, 10, TEN[9].chain)]
    walked, found = walk([*TEN[:2], TEN[6]], gaps=gaps)
    assert found == ["leaf 3 of boot is gone, behind call 2", "leaf 8 of boot is gone, behind call 7"]
    assert (walked.length, walked.removed) == (10, 5)
