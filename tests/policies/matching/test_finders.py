import pytest
import re2

from policies.matching.finders import Find, Finder, Finders, compiled
from policies.matching.shapes import EDGE, captured, chars, literal, sequence


def spans(finders: Finders, data: bytes, start: int = 0, until: int | None = None) -> list[tuple[str, bytes]]:
    finds = finders.finds(data, start, len(data) if until is None else until)
    return [(find.kind, data[find.start : find.end]) for find in finds]


A = Finder("a", literal("aa"))
AB = Finder("ab", literal("aab"))
WORD = Finder("word", sequence(EDGE, literal("ke")), follow="a-z")
VALUE = Finder("value", sequence(literal("k="), captured(chars("^ ", 1, 5))))


def even(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    return (start, end) if int(data[start:end]) % 2 == 0 else None


@pytest.mark.parametrize(
    ("finders", "data", "expected"),
    [
        ([], b"aa", []),
        ([A], b"aaa aa", [("a", b"aa"), ("a", b"aa")]),
        ([A, AB], b"aab", [("ab", b"aab")]),
        ([AB, A], b"xaab aa", [("ab", b"aab"), ("a", b"aa")]),
        ([A, Finder("b", literal("ab"))], b"aab ab", [("a", b"aa"), ("b", b"ab")]),
        ([WORD], b"keys xkeys", [("word", b"keys")]),
        ([VALUE], b"k=12345678 k= k=1", [("value", b"12345"), ("value", b"1")]),
        ([Finder("even", chars("0-9", 1, 3), even)], b"1 2 13 124", [("even", b"2"), ("even", b"124")]),
        ([Finder("none", chars("a", 0, 3))], b"baab", [("none", b"aa")]),
    ],
)
def test_the_leftmost_comes_first_and_of_several_the_longest(
    finders: list[Finder], data: bytes, expected: list[tuple[str, bytes]]
) -> None:
    assert spans(Finders(finders), data) == expected


def test_only_what_begins_in_the_given_part_is_found_and_the_character_before_it_is_seen() -> None:
    assert spans(Finders([WORD]), b"xkey key", start=1) == [("word", b"key")]
    assert spans(Finders([A]), b"aa aa aa", start=1, until=6) == [("a", b"aa")]


@pytest.mark.parametrize(
    ("finders", "data", "begin"),
    [
        ([], b"aa", 2),
        ([A], b"xa", 1),
        ([A], b"ax", 2),
        ([VALUE], b"x k=1", 2),
        ([VALUE], b"k=" + b"1" * 100, 102 - 7 * 4),
        ([VALUE], "k=漢漢漢漢漢漢漢漢漢漢漢漢".encode(), 8),
    ],
)
def test_what_may_yet_become_a_find_is_known(finders: list[Finder], data: bytes, begin: int) -> None:
    assert Finders(finders).open_from(data) == begin


def test_a_find_goes_on_as_long_as_it_may() -> None:
    (find,) = Finders([WORD]).finds(b"ke" + b"y" * 5000 + b" ", 0, 100)
    assert find == Find("word", 0, 0, 5002, find.extend)


def test_a_pattern_that_re2_does_not_know_is_refused() -> None:
    with pytest.raises(re2.error):
        compiled("(?=a)")
