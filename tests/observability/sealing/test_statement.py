from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from observability.sealing.heads import Head, Heads
from observability.sealing.merkle import root
from observability.sealing.statement import START, NotASeal, Seal, public_bytes

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
HEADS = [Head("audit", 3, b"\1" * 32), Head("boot_b", 7, b"\2" * 32)]
FIRST = Seal.make(None, AT, Heads(HEADS).root, HEADS, KEY)


def test_a_seal_is_signed_and_its_line_says_all_of_it() -> None:
    assert (FIRST.number, FIRST.previous, FIRST.key) == (1, START, public_bytes(KEY))
    assert FIRST.is_signed
    assert Seal.read(FIRST.line) == FIRST
    assert "\n" not in FIRST.line


def test_a_seal_names_the_one_before_signature_and_all() -> None:
    second = Seal.make(FIRST, AT, FIRST.root, [], KEY)
    assert (second.number, second.previous) == (2, FIRST.digest)
    forged = Seal(FIRST.number, AT, START, FIRST.root, FIRST.heads, FIRST.key, bytes(64))
    assert forged.digest != FIRST.digest


@pytest.mark.parametrize("place", range(1, 7))
def test_no_part_of_a_seal_can_be_another(place: int) -> None:
    said = orjson.loads(FIRST.line)
    others: list[Any] = [None, 2, 0, "11" * 32, "11" * 32, [], public_bytes(Ed25519PrivateKey.generate()).hex()]
    said["seal"][place] = others[place]
    assert not Seal.read(orjson.dumps(said)).is_signed


@pytest.mark.parametrize(
    "line", ["", "[]", "{}", '{"seal":[]}', FIRST.line.replace("seal 1", "seal 2"), FIRST.line[:-5], "1", "null"]
)
def test_what_is_no_seal_is_refused(line: str) -> None:
    with pytest.raises(NotASeal):
        Seal.read(line)


def test_a_key_that_is_none_signed_nothing() -> None:
    assert not Seal.read(FIRST.line.replace(public_bytes(KEY).hex(), "00")).is_signed


def test_the_root_is_over_all_heads_in_the_order_of_their_names() -> None:
    heads = Heads()
    heads.move([HEADS[1]])
    heads.move([HEADS[0]])
    assert heads.root == Heads(HEADS).root == root([HEADS[0].leaf, HEADS[1].leaf])
    heads.move([Head("boot_b", 9, b"\3" * 32)])
    assert heads.root == root([HEADS[0].leaf, Head("boot_b", 9, b"\3" * 32).leaf])
    assert (heads["boot_b"], heads["boot_c"]) == (Head("boot_b", 9, b"\3" * 32), None)
