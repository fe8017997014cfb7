from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from observability.sealing.heads import Head, Heads
from observability.sealing.statement import Seal, public_bytes
from observability.verification.seals import SealWalk
from observability.verification.walk import Finding, Mark

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def make(count: int, key: Ed25519PrivateKey = KEY) -> list[Seal]:
    heads, made = Heads(), [None]
    for number in range(1, count + 1):
        moved = [Head(name, number, bytes((number,)) * 32) for name in ("audit", f"boot_{number % 2}")]
        heads.move(moved)
        made.append(Seal.make(made[-1], AT, heads.root, moved, key))  # type: ignore[arg-type]
    return made[1:]  # type: ignore[return-value]


SEALS = make(4)


def walk(rows: list[tuple[int, str]], anchor: list[Seal] | None = None) -> tuple[SealWalk, list[str]]:
    found: list[Finding] = []
    walked = SealWalk({public_bytes(KEY)}, found.append)
    for row in rows:
        walked.add(*row)
    if anchor is not None:
        walked.compare(anchor)
    return walked, [finding.what for finding in found]


def rows(seals: list[Seal]) -> list[tuple[int, str]]:
    return [(seal.number, seal.line) for seal in seals]


def test_whole_seals_hold_and_mark_the_chains() -> None:
    walked, found = walk(rows(SEALS), SEALS)
    assert found == []
    assert walked.marks["boot_1"] == [Mark(1, b"\1" * 32, 1), Mark(3, b"\3" * 32, 3)]
    assert walked.last == SEALS[-1]
    assert walked.compare(SEALS) == 4


@pytest.mark.parametrize("place", range(3))
def test_a_seal_that_is_gone_is_named_by_the_next(place: int) -> None:
    _, found = walk(rows(SEALS[:place] + SEALS[place + 1 :]))
    assert found[0] == f"seal {place + 2}: the one before it is gone"


def test_an_end_that_is_gone_is_found_by_the_anchor_alone() -> None:
    assert walk(rows(SEALS[:2]))[1] == []
    assert walk(rows(SEALS[:2]), SEALS)[1] == [
        "seal 3: the anchor has it from 2026-01-02 03:04:05, and it is gone, as are 1 more; "
        "the database ends with seal 2"
    ]
    assert walk([], SEALS[:1])[1] == [
        "seal 1: the anchor has it from 2026-01-02 03:04:05, and it is gone; the database has no seals"
    ]


def test_seals_made_anew_are_not_those_of_the_anchor() -> None:
    forged = Seal.make(SEALS[2], AT, SEALS[3].root, SEALS[3].heads, KEY)
    assert walk(rows([*SEALS[:3], forged]), SEALS)[1] == [], "the same seal, signed by the same key"
    moved = [Head("audit", 4, b"x" * 32)]
    heads = Heads(head for seal in SEALS[:3] for head in seal.heads)
    heads.move(moved)
    forged = Seal.make(SEALS[2], AT, heads.root, moved, KEY)
    assert "seal 4: the anchor has it" in walk(rows([*SEALS[:3], forged]), SEALS)[1][0]


def test_a_seal_of_a_key_that_nobody_trusts_is_none() -> None:
    theirs = make(1, OTHER)
    assert "which is not trusted" in walk(rows(theirs))[1][0]
    assert "is not signed by a key that is trusted" in walk(rows(SEALS), theirs)[1][0]


def test_a_seal_that_was_edited_is_named() -> None:
    number, line = SEALS[1].number, SEALS[1].line
    assert walk([(1, SEALS[0].line), (number, line[:-4] + '0"}')])[1] == ["seal 2: its row holds no seal"]
    edited = line.replace("boot_0", "boot_9")
    assert walk([(1, SEALS[0].line), (number, edited)])[1] == ["seal 2: its signature is wrong"]
    assert walk([(1, SEALS[1].line)])[1] == ["seal 1: its row holds seal 2"]


def test_a_seal_of_another_line_is_named() -> None:
    other = Seal.make(None, AT, Heads().root, [], KEY)
    assert walk([(1, other.line), (2, SEALS[1].line)])[1][0] == (
        "seal 2: the one before it is not the one that it follows"
    )


def test_a_root_over_other_chains_is_named() -> None:
    lying = Seal.make(SEALS[0], AT, b"\0" * 32, SEALS[1].heads, KEY)
    assert walk(rows([SEALS[0], lying]))[1] == [
        "seal 2: its root is not that of the chains that it and those before name"
    ]
