from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from observability.models import CallRecord, Decision, SearchEntry
from observability.search import indexing
from observability.search.language import parse
from observability.search.listing import CallPage, call_page, page_of
from tests.observability.test_queries import add

NOW = datetime(2026, 1, 2, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def ids(page: CallPage) -> list[str]:
    return [call.pk for call in page.calls]


def search(text: str, **how: object) -> list[str]:
    return ids(page_of(parse(text, NOW), **how))  # type: ignore[arg-type]


def judged(call: CallRecord, policy: str, action: str, position: int = 0, version: int = 1) -> None:
    values = {"mode": "enforce", "hook": "on_text", "block": "text 0", "at_ms": 0, "took_ms": 0}
    Decision.objects.create(call_id=call.pk, position=position, policy=policy, version=version, action=action, **values)


@pytest.mark.parametrize("query", ["", "model:m", "team:payments after:2025-12-31", "-team:other"])
def test_pages_follow_one_another_without_gap_or_repeat(query: str) -> None:
    for number in range(25):
        add(number, started_at=NOW + timedelta(seconds=number))
    add(99, team="other", model="other")
    found: list[str] = []
    before = ""
    while True:
        page = page_of(parse(query, NOW), before=before, limit=4)
        found += ids(page)
        if not (before := page.older):
            break
    assert [id for id in found if id != "call_099"] == [f"call_{number:03}" for number in reversed(range(25))]


@pytest.mark.parametrize(
    "before", ["x", "-", "9" * 30 + "-call", "\0", "1-\0", "\N{SUPERSCRIPT TWO}-x", "n", "n1", "nx"]
)
def test_a_place_that_is_none_is_the_first_page_or_empty(before: str) -> None:
    add(1)
    assert len(call_page(before=before).calls) <= 1
    assert len(call_page(before=before, model="m").calls) <= 1


def test_each_filter_picks_its_calls() -> None:
    add(1, team="a", key="k1", session="s1", model="m1", outcome="finished", provider="openai", status=200)
    values = {"outcome": "blocked", "changed_response": True, "cost_microdollars": 200_000, "total_ms": 2500.0}
    call = add(2, team="b", key="k2", session="s2", model="m2", provider="anthropic", status=429, **values)
    judged(call, "p", "block", version=3)
    judged(call, "q", "allow", 1)
    for name, value in [("team", "b"), ("key", "k2"), ("session", "s2"), ("model", "m2"), ("outcome", "blocked")]:
        assert ids(call_page(**{name: value})) == ["call_002"]  # type: ignore[arg-type]
        assert search(f"-{name}:{value}") == ["call_001"]
    assert ids(call_page(changed="1")) == ids(call_page(policy="p")) == ids(call_page(action="block")) == ["call_002"]
    assert ids(call_page(policy="p", action="block")) == ["call_002"]
    assert ids(call_page(policy="p", action="allow")) == ids(call_page(team="b", key="k1")) == []
    for query in (
        "provider:anthropic", "status:429", "policy:p@3", "policy:p@3 verdict:block", "changed:answer", "cost:>0.1",
        "cost:0.2", "cost:0.15..0.3", "latency:>2s", "latency:<3s", "model:m2,m3", "-provider:openai team:b",
        "after:2026-01-01T00:00:01", "team:b verdict:block,stop -changed:request",
    ):  # fmt: skip
        assert search(query) == ["call_002"], query
    for query in ("cost:>0.2", "cost:<0.2", "latency:>2500ms", "latency:<2.5s", "policy:p@2", "before:2025-12-01"):
        assert search(query) == [], query
    assert search("-latency:>2s") == search("-cost:0.2") == ["call_001"]


def test_text_is_found_word_by_word_and_in_quotation_marks_as_it_stands() -> None:
    for number, text in enumerate(["run rm -rf /srv/ledger", "rm and rf, a 100% ORDER_id", "Grüße C:\\temp"]):
        call = add(number, started_at=NOW + timedelta(seconds=number))
        indexing.catch_up()
        _set_text(call.pk, text)
    assert search("rm") == ["call_001", "call_000"]
    assert search('"rm -rf"') == search("rm /srv/ledger") == search("LEDGER") == ["call_000"]
    assert search("/srv/led*") == search('"srv/LED"') == search("led*") == ["call_000"]
    assert search('-"rm -rf" rm') == search('"100% o"') == search('"order_ID"') == ["call_001"]
    assert search('"1000 o"') == search('"orderxid"') == search("led") == []
    assert search("-rm") == search('"C:\\temp"') == search("grüße") == ["call_002"]
    assert search("-led* -grüße") == ["call_001"]


def _set_text(id: str, text: str) -> None:
    entry = SearchEntry.objects.get(call_id=id)
    SearchEntry.objects.filter(call_id=id).delete()
    entry.text = text
    entry.save(force_insert=True)


def test_a_reader_sees_the_calls_of_its_teams_and_no_others_whatever_it_asks() -> None:
    add(1, team="a", model="m")
    add(2, team="b", model="m")
    indexing.catch_up()
    for query in ("", "model:m", "team:b,a", "-team:x", "key:ci", "after:2020-01-01"):
        page = page_of(parse(query, NOW), teams=["a"], with_facets=True)
        assert ids(page) == ["call_001"], query
        assert [count.value for count in page.facets["team"]] == ["a"], query
        assert page.counted == 1
        assert page_of(parse(query, NOW), teams=[], with_facets=True).calls == []
    assert search("team:b", teams=["a"]) == []


def test_an_index_that_says_otherwise_shows_nobody_a_call_of_another_team() -> None:
    add(1, team="a", model="m")
    indexing.catch_up()
    CallRecord.objects.update(team="b")
    assert search("model:m", teams=["a"]) == []


def test_facets_count_the_commonest_values_of_what_matches() -> None:
    for number in range(3):
        judged(add(number, model="m1" if number else "m2"), "p", "block" if number else "allow")
    page = page_of(parse("policy:p", NOW), with_facets=True)
    assert page.counted == 3
    assert page.facets["model"] == [("m1", 2), ("m2", 1)]
    assert page.facets["verdict"] == [("block", 2), ("allow", 1)]
    assert page.facets["policy"] == [("p", 3)]


@pytest.mark.parametrize("query", ["", "team:payments", "model:m", 'model:m "x y"'])
def test_a_page_takes_three_queries_at_most(query: str) -> None:
    add(1)
    indexing.catch_up()
    with CaptureQueriesContext(connection) as captured:
        page_of(parse(query, NOW), with_facets=True)
    assert len(captured) <= 3, captured.captured_queries


def test_what_the_index_lacks_is_noticed() -> None:
    assert not indexing.is_behind()
    add(1, outcome="open")
    assert indexing.is_behind()
    indexing.catch_up()
    assert not indexing.is_behind()
    CallRecord.objects.update(outcome="cut")
    assert indexing.is_behind()
    indexing.catch_up()
    assert not indexing.is_behind()
