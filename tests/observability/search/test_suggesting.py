from __future__ import annotations

from datetime import UTC, datetime

from observability.search.language import parse
from observability.search.suggesting import EXAMPLES, chips, choices, suggest

NOW = datetime(2026, 11, 21, tzinfo=UTC)
VALUES = {"verdict": ["allow", "block"], "team": ["my team", "payments"]}


def offered(text: str) -> list[str]:
    return [suggestion.query for suggestion in suggest(text, VALUES)]


def test_the_last_word_goes_on_as_a_filter_or_as_its_values() -> None:
    assert offered("x -te") == ["x -team:"]
    assert offered("x te") == ["x team:"]
    assert offered("st") == ["status:"]
    assert offered("team:") == ['team:"my team" ', "team:payments "]
    assert offered("a -verdict:LO") == ["a -verdict:allow ", "a -verdict:block "]
    assert offered("changed:re") == ["changed:request "]
    assert offered("") == offered("x ") == offered("zzz") == offered("nothing:x") == offered('team:"my ') == []


def test_every_example_can_be_read() -> None:
    for example, meaning in EXAMPLES:
        assert parse(example, NOW)
        assert meaning


def test_facets_lead_to_the_query_with_and_without_them() -> None:
    text = "team:payments x"
    parts = parse(text, NOW)
    ((name, (chosen, other)),) = choices(text, parts, {"team": [("payments", 2), ("my team", 1)]})
    assert (name, chosen.is_chosen, chosen.query) == ("team", True, "x")
    assert (other.is_chosen, other.query, other.calls) == (False, 'team:payments x team:"my team"', 1)
    assert [(chip.text, chip.query) for chip in chips(text, parts)] == [("team:payments", "x"), ("x", "team:payments")]
