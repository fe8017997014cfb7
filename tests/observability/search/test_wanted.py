from __future__ import annotations

from datetime import UTC, datetime
from math import inf

import pytest

from observability.search.language import parse
from observability.search.marks import mark, other_steps, steps
from observability.search.quantities import Span
from observability.search.wanted import Wanted, Words, wanted

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def asked(text: str, teams: list[str] | None = None) -> Wanted:
    return wanted(parse(text, NOW), teams)


def test_filters_become_groups_of_marks() -> None:
    found = asked("team:a,b policy:p policy:p@3 -outcome:cut", ["x"])
    assert found.marks == [
        (mark("team", "x"),), (mark("team", "a"), mark("team", "b")), (mark("policy", "p"),), (mark("version", "p@3"),),
    ]  # fmt: skip
    assert found.without_marks == [mark("outcome", "cut")]
    assert wanted((), []).marks == [()]


def test_a_verdict_beside_a_policy_is_that_policys() -> None:
    assert asked("verdict:block").marks == [(mark("verdict", "block"),)]
    assert asked("verdict:block policy:p").marks[0] == (mark("judged", "block:p"),)
    assert asked("policy:p -verdict:block").without_marks == [mark("judged", "block:p")]
    assert asked("-policy:p verdict:block").marks == [(mark("verdict", "block"),)]


def test_the_latest_after_and_the_earliest_before_count() -> None:
    found = asked("after:2026-01-01 after:2026-02-01 before:2026-04-01 before:2026-03-01")
    assert (found.after, found.before) == (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))


def test_ranges_are_looked_up_by_steps_and_compared() -> None:
    found = asked("cost:1..2 -latency:>2s")
    assert found.steps == [steps("cost", 1_000_000, 2_000_000), other_steps("latency", 2000, inf)]
    assert found.spans == [
        ("cost_microdollars", Span(1_000_000, 2_000_000), False), ("total_ms", Span(low=2000, with_low=False), True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words", "pieces"),
    [
        ("ledger", [Words(("ledger",))], []),
        ("led*", [Words(("led",), open=True)], []),
        ('"led"', [Words(("led",), open=True)], ["led"]),
        ('"rm -rf"', [Words(("rm", "rf"), open=True)], ["rm -rf"]),
        ('"rm -rf /"', [Words(("rm", "rf"))], ["rm -rf /"]),
        ("a/b", [Words(("a", "b"), open=True)], ["a/b"]),
        ("a/bcd*", [Words(("a", "bcd"), open=True)], ["a/bcd"]),
        ("b_c", [Words(("b", "c"), open=True)], ["b_c"]),
        ("c!", [Words(("c",))], ["c!"]),
        ("src/*", [Words(("src",))], ["src/"]),
    ],
)
def test_text_is_looked_up_by_its_words_and_compared_where_these_are_not_all(
    text: str, words: list[Words], pieces: list[str]
) -> None:
    found = asked(text)
    assert (found.words, found.parts_of_text) == (words, pieces)
    refused = asked(f"-{text}")
    assert not refused.words and not refused.parts_of_text
    # That words are there does not say that the text is.
    assert (refused.without_words, refused.without_parts) == (([], pieces) if pieces else (words, []))
