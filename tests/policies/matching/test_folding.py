# ruff: noqa: RUF001
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.matching.folding import Folded, fold

ODD = st.text(
    st.sampled_from("aB1é\u200b\u00ad\u202e１𝐚аА－\ud800\x00漢\U000e0041ﬁß\u0301") | st.characters(), max_size=20
)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("plain", "plain"),
        ("Ｐａｓｓ１２", "Pass12"),
        ("𝗽𝗮𝘀𝘀 𝟙", "pass 1"),
        ("раssword", "password"),
        ("ΑΚΙΑ", "AKIA"),
        ("p\u200ba\u00ads\u2060s", "pass"),
        ("\u202epass\u202c", "pass"),
        ("e\u0301é", "ee"),
        ("٤١", "41"),
        ("a\u00a0b\u3000c\u2028d", "a b c d"),
        ("1–2—3", "1-2-3"),
        ("p\U000e0061ass", "pass"),
        ("ﬁ①⑩", "ﬁ1⑩"),
        ("漢字 ß", "漢字 ß"),
        ("\ud800x", "\ud800x"),
    ],
)
def test_text_is_taken_as_a_reader_takes_it(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_each_character_becomes_one_or_none_and_folding_twice_changes_nothing() -> None:
    for point in range(sys.maxunicode + 1):
        folded = fold(chr(point))
        assert len(folded) <= 1, hex(point)
        assert fold(folded) == folded, hex(point)


def test_no_lookalike_is_plain_itself() -> None:
    assert all(fold(chr(point)) == chr(point) for point in range(128))


@given(ODD, ODD)
def test_folding_piece_by_piece_is_folding_the_whole(left: str, right: str) -> None:
    assert fold(left) + fold(right) == fold(left + right)


@given(ODD, st.sampled_from(["", "x", "漢", "key="]))
def test_places_lead_back_to_the_characters_that_were_folded(text: str, before: str) -> None:
    folded = Folded(text, before)
    visible = [(place, char) for place, char in enumerate(text) if fold(char)]
    offset = folded.start
    for place, char in visible:
        size = len(fold(char).encode("utf-8", "replace"))
        assert folded.begin(offset) == place
        offset += size
        assert folded.end(offset) == place + 1
        assert folded.last(offset) == fold(char)
    assert offset == len(folded.data)
    assert folded.begin(offset) == len(text)
    assert folded.last(folded.start) == before
    assert folded.end(folded.start) == 0


def test_every_category_that_cannot_be_seen_is_gone() -> None:
    assert fold("".join(chr(point) for point in range(0xE0000, 0xE0080) if unicodedata.name(chr(point), ""))) == ""
