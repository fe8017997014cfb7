from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from observability.search.language import FIELDS, Part, QueryError, extended, parse, quoted, refuse_text, without
from observability.search.quantities import Span

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WORDS = {"verdict": ("allow", "block"), "outcome": ("finished", "cut")}


def parts(text: str) -> list[tuple[str, tuple[str, ...], bool, bool]]:
    return [(part.name, part.values, part.negated, part.whole) for part in parse(text, NOW, WORDS)]


def test_a_query_is_filters_and_texts_side_by_side() -> None:
    assert parts('team:payments  verdict:Block -outcome:finished,cut\ttool:"my tool",bash "rm -rf" -x ledger*') == [
        ("team", ("payments",), False, False),
        ("verdict", ("block",), False, False),
        ("outcome", ("finished", "cut"), True, False),
        ("tool", ("my tool", "bash"), False, False),
        ("", ("rm -rf",), False, True),
        ("", ("x",), True, False),
        ("", ("ledger*",), False, False),
    ]
    assert parts("") == parts("  ") == []
    assert parts("12:30 a,b TEAM:x") == [
        ("", ("12:30",), False, False), ("", ("a,b",), False, False), ("team", ("x",), False, False),
    ]  # fmt: skip
    assert parts(r'"say \"hi\"" key:"a\"b"') == [("", ('say "hi"',), False, True), ("key", ('a"b',), False, False)]


def test_amounts_and_times_are_read() -> None:
    cost, latency, after, before = parse("cost:>0.1 -latency:1s..2s after:2h before:2026-11-01", NOW)
    assert cost.span == Span(low=100_000.0, with_low=False)
    assert (latency.span, latency.negated) == (Span(1000.0, 2000.0), True)
    assert after.at == NOW - timedelta(hours=2)
    assert before.at == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("tol:bash", "tol", "Did you mean tool:?"),
        ("https://x.test", "https", "put it in quotation marks"),
        ("zzz:bash", "zzz", "Filters are team, key"),
        ("a verdict:blok b", "blok", "Did you mean block?"),
        ("outcome:zzz", "zzz", "It is one of: finished, cut."),
        ("changed:maybe", "maybe", "yes, no, request, answer"),
        ("team: x", "team:", "team: is the team of the key"),
        ('a team:""', '""', "missing"),
        ("team:,", ",", "missing"),
        ('a "rm -rf', '"rm -rf', "never closed"),
        ("--", "--", "no word"),
        ('"..."', '"..."', "no word"),
        ("cost:much", "much", "in dollars"),
        ("latency:>2", ">2", "unit"),
        ("latency:2s..1s", "2s..1s", "smaller"),
        ("after:soon", "soon", "how long ago"),
        ("-before:2d", "-before:2d", "Say after instead"),
        ("-after:2d", "-after:2d", "Say before instead"),
        ("status:ok", "ok", "three digits"),
        ("re*", "re*", "at least 3 letters"),
        ("-src/ab**", "-src/ab**", "at least 3 letters"),
    ],
)
def test_an_error_points_at_its_place(text: str, place: str, words: str) -> None:
    with pytest.raises(QueryError, match=".") as caught:
        parse(text, NOW, WORDS)
    assert text[caught.value.start : caught.value.end] == place
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["led*", "src/*", "\N{CJK UNIFIED IDEOGRAPH-65E5}*", '"re*"', "a_bcd*"])
def test_beginnings_that_few_words_have_are_looked_for(text: str) -> None:
    assert len(parse(text, NOW)) == 1


def test_a_query_is_bounded() -> None:
    with pytest.raises(QueryError, match="characters"):
        parse("x" * 2001, NOW)
    with pytest.raises(QueryError, match="40 parts") as caught:
        parse("x " * 41, NOW)
    assert caught.value.start == 80


def test_a_query_grows_and_shrinks_by_parts() -> None:
    text = 'a team:x "b  c"'
    assert extended(text, "tool", "my tool") == 'a team:x "b  c" tool:"my tool"'
    first, team, last = parse(text, NOW)
    assert [without(text, part) for part in (first, team, last)] == ['team:x "b  c"', 'a "b  c"', "a team:x"]


@given(st.text(max_size=60))
@example('\\"')
def test_any_text_is_a_query_or_an_error_with_a_place_in_it(text: str) -> None:
    try:
        found = parse(text, NOW, WORDS)
    except QueryError as error:
        assert 0 <= error.start <= error.end <= len(text)
    else:
        assert all(text[part.start : part.end].strip() for part in found)
        assert "".join(text[part.start : part.end] for part in found) == "".join(_between(text, found))


def _between(text: str, found: tuple[Part, ...]) -> list[str]:
    """What is not white space outside of the parts is lost to nobody."""
    place, pieces = 0, []
    for part in found:
        assert not text[place : part.start].strip()
        pieces.append(text[part.start : part.end])
        place = part.end
    assert not text[place:].strip()
    return pieces


@given(
    st.sampled_from(sorted({*FIELDS} - {"cost", "latency", "after", "before", "status", "changed"})),
    st.text(min_size=1),
)
def test_a_filter_that_was_added_is_read_as_it_was_meant(name: str, value: str) -> None:
    if len(value) > 900 or value.endswith("\\"):
        return  # a backslash at the end would have the quotation mark stand for itself
    (part,) = parse(extended("", name, value), NOW)
    assert (part.name, part.values) == (name, (value.replace('\\"', '"') if quoted(value) == value else value,))


def test_parts_have_their_places() -> None:
    (part,) = parse("  team:x ", NOW)
    assert part == Part("team", ("x",), start=2, end=8)


def test_text_is_refused_where_it_stands_and_filters_are_not() -> None:
    refuse_text(parse("team:payments -verdict:block", NOW), "Not for you.")
    with pytest.raises(QueryError, match="Not for you") as error:
        refuse_text(parse('team:payments "rm -rf"', NOW), "Not for you.")
    assert (error.value.start, error.value.end) == (14, 22)
