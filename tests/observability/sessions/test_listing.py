from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from luthien_site.proofs.questions import scans
from observability.search import indexing
from observability.search.language import parse
from observability.sessions import listing
from observability.sessions.listing import page_of
from tests.observability.test_queries import START, add

NOW = datetime(2026, 1, 2, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def found(query: str = "", **how: Any) -> list[str]:
    return [row.summary.session for row in page_of(parse(query, NOW), **how).rows]


def sessions(many: int, calls: int = 2, **fields: object) -> None:
    for number in range(many * calls):
        at = START + timedelta(seconds=number)
        add(number, session=f"s{number % many}", outcome="finished", started_at=at, **fields)
    while indexing.catch_up():
        pass


def test_the_newest_activity_stands_first() -> None:
    sessions(3)
    add(99, session="s1", outcome="open", started_at=START + timedelta(hours=1))
    page = page_of(())
    assert [(row.summary.session, row.running) for row in page.rows] == [("s1", 1), ("s2", 0), ("s0", 0)]
    assert page.older == ""


@pytest.mark.parametrize("query", ["", "team:payments", "key:ci", "model:m", "-model:x key:ci"])
def test_pages_follow_one_another_without_gap_or_repeat(query: str) -> None:
    sessions(11, calls=3)
    seen, before = [], ""
    for _ in range(20):
        page = page_of(parse(query, NOW), before=before, limit=4)
        seen += [row.summary.session for row in page.rows]
        if not (before := page.older):
            break
    assert seen == [f"s{number}" for number in reversed(range(11))]


def test_pages_follow_one_another_where_few_calls_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LOOKED_AT", 5)
    test_pages_follow_one_another_without_gap_or_repeat("model:m")


@pytest.mark.parametrize(
    "before", ["x", "-", "1-", "n", "nx", "n" + "9" * 30, "9" * 30 + "-1", "\N{SUPERSCRIPT TWO}-1"]
)
def test_a_place_that_is_none_is_the_first_page(before: str) -> None:
    sessions(1)
    assert found(before=before) == found("model:m", before=before) == ["s0"]


def test_a_session_is_found_by_any_of_its_calls() -> None:
    add(1, session="a", model="m1", outcome="finished")
    add(2, session="a", model="m2", outcome="blocked")
    add(3, session="b", model="m2", outcome="finished", key="other")
    add(4, session="", model="m2", outcome="finished")
    assert found("model:m1") == found("outcome:blocked") == found("session:a") == found("key:ci") == ["a"]
    assert found("model:m2") == found() == ["b", "a"]
    assert found("model:m1 key:other") == found("team:x") == []


def test_a_reader_sees_the_sessions_of_its_teams_and_what_these_amount_to_there() -> None:
    add(1, session="a", outcome="finished")
    add(2, session="a", outcome="finished", team="other")
    add(3, session="b", outcome="finished", team="other")
    add(4, session="a", outcome="open", team="other")
    for query in ("", "model:m", "key:ci", "session:a"):
        page = page_of(parse(query, NOW), teams=["payments"])
        assert [(row.summary.session, row.summary.calls, row.running) for row in page.rows] == [("a", 1, 0)], query
        assert page_of(parse(query, NOW), teams=[]).rows == []
    assert found("team:other", teams=["payments"]) == []


@pytest.mark.parametrize("query", ["", "team:payments", "key:ci", "session:s1", "model:m", "verdict:block"])
def test_no_page_reads_a_table_from_end_to_end(query: str) -> None:
    sessions(30)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    indexing.catch_up()
    with CaptureQueriesContext(connection) as captured:
        page_of(parse(query, NOW), before="n9" if ":" in query and "team" not in query else "")
    asked = [each["sql"] for each in captured if each["sql"].startswith("SELECT")]
    assert 0 < len(asked) <= 7
    assert [step for sql in asked for step in scans(sql.replace("%", "%%"), ())] == []
