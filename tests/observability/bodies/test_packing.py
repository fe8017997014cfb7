from __future__ import annotations

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from observability.bodies import packing, recipes
from observability.bodies.recipes import PayloadDamaged

COMPRESSOR = zstandard.ZstdCompressor(level=1)
NAMES: list[bytes | None] = [b"a" * 32, None, b"c" * 32, b"d" * 32]


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300))))
def test_what_is_packed_is_unpacked(entries: list[packing.Entry]) -> None:
    assert list(packing.unpack(packing.pack(entries, COMPRESSOR))) == entries


def test_the_packs_of_a_call_name_its_bodies() -> None:
    packs = [packing.pack([(0, b"asked")], COMPRESSOR), None, packing.pack([(2, b"said"), (3, b"given")], COMPRESSOR)]
    assert packing.recipes(NAMES, packs) == {b"a" * 32: b"asked", b"c" * 32: b"said", b"d" * 32: b"given"}


@pytest.mark.parametrize(
    "damaged",
    [b"not zstd", packing.pack([(1, b"no such body")], COMPRESSOR), packing.pack([(4, b"no such place")], COMPRESSOR)],
)
def test_a_damaged_pack_is_told(damaged: bytes) -> None:
    with pytest.raises(PayloadDamaged):
        packing.recipes(NAMES, [damaged])


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_an_edit_of_a_body_makes_it_again(head: bytes, old: bytes, new: bytes, tail: bytes) -> None:
    base, raw = head + old + tail, head + new + tail
    pieces = recipes.decode(packing.edit(raw, base, recipes.name(base)))
    assert (
        b"".join(piece if isinstance(piece, bytes) else base[piece.start :][: piece.length] for piece in pieces) == raw
    )


def test_an_edit_holds_no_more_than_what_differs() -> None:
    base = b'{"model":"public","messages":[' + b"1," * 500_000 + b"1]}"
    recipe = packing.edit(base.replace(b"public", b"provider-name"), base, recipes.name(base))
    assert len(recipe) < 120


def test_a_change_that_is_not_small_is_no_edit() -> None:
    base, raw = b"a" * packing.SMALL, b"b" * packing.SMALL
    assert packing.edit(raw, base, recipes.name(base)) == b""
