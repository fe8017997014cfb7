# ruff: noqa: RUF001
"""However a text is cut, the same is cut out of it, and nothing else of it changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.matching.finders import Finder, Finders
from policies.matching.redaction import Redaction, Redactor, Stage
from policies.matching.shapes import EDGE, Shape, captured, chars, literal, sequence

from .test_shapes import SHAPES

TEXTS = st.lists(st.text(st.sampled_from("abA. \u200bаé漢\n=k１"), max_size=6), max_size=12)
KINDS = [
    Finder("NUMBER", sequence(EDGE, chars("0-9", 2, 4))),
    Finder("VALUE", sequence(literal("k="), captured(chars(r"^\s", 2, 6)))),
    Finder("WORD", literal("ab"), follow="a-z"),
]
PLAIN = Redactor(KINDS, lambda kind: f"<{kind}>")
LINES = Redactor(
    KINDS[:1],
    lambda kind: f"<{kind}>",
    line_finders=[Finder("LINE", Shape("a+b*", "", "", 0))],
    raw_finders=[Finder("RAW", chars(r"\x{200b}\x{ff11}", 2, 2), follow=r"\x{200b}")],
)


def streamed(stages: list[Stage], chunks: list[str]) -> str:
    released = []
    for place, chunk in enumerate([*chunks, ""]):
        text = chunk
        for stage in stages:
            text = stage.feed(text, place == len(chunks))
        released.append(text)
    return "".join(released)


@given(TEXTS, st.sampled_from([PLAIN, LINES]))
def test_a_stream_becomes_what_the_whole_becomes(chunks: list[str], redactor: Redactor) -> None:
    assert streamed(redactor.stages(), chunks) == redactor.redact("".join(chunks))[0]


@given(TEXTS, st.lists(st.tuples(SHAPES, st.sampled_from(["", "a", "a-z"])), min_size=1, max_size=3))
def test_so_does_it_with_any_shapes(chunks: list[str], shapes: list[tuple[Shape, str]]) -> None:
    finders = [Finder(str(place), shape, follow=follow) for place, (shape, follow) in enumerate(shapes)]
    redactor = Redactor(finders, lambda kind: f"<{kind}>")
    assert streamed(redactor.stages(), chunks) == redactor.redact("".join(chunks))[0]


@given(TEXTS)
def test_what_is_released_is_what_came_but_for_the_finds(chunks: list[str]) -> None:
    text = "".join(chunks)
    kept = Redactor(KINDS, lambda kind: "").redact(text)[0]
    rest = iter(text)
    assert all(char in rest for char in kept)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x 12 y", "x <NUMBER> y"),
        ("x １\u200b２ y", "x <NUMBER> y"),
        ("漢 12 漢 34 漢", "漢 <NUMBER> 漢 <NUMBER> 漢"),
        ("abcd\u200be f", "<WORD> f"),
        ("\u200bab\u200b", "\u200b<WORD>"),
        ("k=pass9 k=1", "k=<VALUE> k=1"),
        ("k=漢漢漢 ", "k=<VALUE> "),
        ("\ud80012 \x0012", "\ud800<NUMBER> \x00<NUMBER>"),
        ("123456", "<NUMBER>56"),
        ("", ""),
    ],
)
def test_the_right_characters_are_cut_out(text: str, expected: str) -> None:
    assert PLAIN.redact(text)[0] == expected
    assert streamed(PLAIN.stages(), list(text)) == expected


def test_finds_are_counted_by_kind() -> None:
    assert PLAIN.redact("12 34 ab")[1] == {"NUMBER": 2, "WORD": 1}
    assert LINES.redact("12\nab\n\naa")[1] == {"NUMBER": 1, "LINE": 2}


def test_a_raw_finder_sees_what_cannot_be_seen() -> None:
    assert LINES.redact("a1\u200b\u200b\u200b2 １２") == ("<LINE>1<RAW>2 <NUMBER>", {"LINE": 1, "RAW": 1, "NUMBER": 1})


def test_what_stands_before_a_text_is_seen_and_is_no_part_of_it() -> None:
    assert PLAIN.redact("secret", "k=") == ("<VALUE>", {"VALUE": 1})
    assert PLAIN.redact("x", "12 ab ") == ("x", {})
    assert PLAIN.redact("12", "a") == ("12", {})


def test_only_what_may_have_begun_is_held_and_never_more_than_the_longest() -> None:
    stage = Redaction(Finders(KINDS), str.lower)
    assert [stage.feed(piece, False) for piece in ("see k", "=", "abc", "d ", "e a")] == [
        "see ",
        "",
        "",
        "k=value ",
        "e ",
    ]
    nothing = Redaction(Finders([Finder("none", chars("0-9", 2, 4), lambda data, start, end: None)]), str.lower)
    assert len("".join(nothing.feed("1", False) for _ in range(100))) == 100 - 4 * 4


def test_a_find_that_goes_on_and_on_holds_nothing() -> None:
    stage = Redaction(Finders(KINDS), str.lower)
    assert [stage.feed(piece, False) for piece in ("ab", "cde", "fgh", " i")] == ["", "word", "", " i"]
    assert stage.feed("", True) == ""
