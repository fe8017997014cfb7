from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from luthien_site.proofs.questions import scans, watched
from observability.figures import overview
from observability.figures.overview import Counts, Overview, Row
from observability.figures.seldom import Seldom
from observability.models import CallRecord

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "_recent", Seldom(overview._look))


def put(number: int, hours: float = 1, **fields: object) -> None:
    values: dict[str, object] = {
        "id": f"call_{number}", "key": "ci", "team": "payments", "session": "s", "model": "m", "dialect": "d",
        "path": "/", "streamed": False, "snapshot": 1, "outcome": "finished",
        "started_at": timezone.now() - timedelta(hours=hours),
    }  # fmt: skip
    CallRecord.objects.create(**(values | fields))


def test_each_call_of_the_day_counts_once_by_what_became_of_it() -> None:
    put(1, changed_request=True, cost_microdollars=5)
    put(2, outcome="blocked", changed_response=True, cost_microdollars=7)
    put(3, outcome="stalled", changed_response=True)
    put(4, outcome="open")
    put(5, outcome="refused", hours=23)
    put(6, outcome="blocked", hours=24.5)
    day = overview.overview(None)
    assert day.total == Counts(calls=5, blocked=1, changed=1, failed=1, cost=12)
    assert day.total.others == 2
    assert [counts.calls for _, counts in day.hours if counts.calls] == [1, 4]
    assert len(day.hours) == 25 and not day.cut


def test_teams_and_models_come_by_what_they_cost() -> None:
    put(1, team="a", model="small", cost_microdollars=1)
    put(2, team="b", model="large", cost_microdollars=8)
    put(3, team="a", model="large", cost_microdollars=9)
    put(4, team="c", model="free")
    day = overview.overview(None)
    assert [(name, counts.cost) for name, counts in day.teams] == [("a", 10), ("b", 8), ("c", 0)]
    assert [(name, counts.calls) for name, counts in day.models] == [("large", 2), ("small", 1), ("free", 1)]


def test_a_reader_sees_the_day_of_its_teams() -> None:
    put(1, team="a", total_ms=1.0)
    put(2, team="b", total_ms=2.0)
    day = overview.overview(["b"])
    assert (day.total.calls, day.teams[0][0], day.latency(50)) == (1, "b", 2.0)
    assert overview.overview([]).total == Counts()


def test_times_are_those_within_which_so_many_calls_came_to_an_end() -> None:
    for number in range(1, 21):
        put(number, total_ms=float(number))
    put(21, outcome="stalled", total_ms=9_999.0)
    put(22)
    day = overview.overview(None)
    assert (day.latency(50), day.latency(95), day.latency(100)) == (10.0, 19.0, 20.0)
    assert Overview(day.since, False, (), ()).latency(50) is None


def test_a_busy_day_is_cut_to_the_newest_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MOST_CALLS", 2)
    for number in range(4):
        put(number, hours=4 - number)
    day = overview.overview(None)
    assert (day.cut, day.total.calls) == (True, 3)


def test_looking_costs_the_same_however_much_is_on_record(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(50):
        put(number, hours=number)
    with django_assert_max_num_queries(27):
        overview.overview(None)


def test_no_table_is_read_whole() -> None:
    put(1)
    with watched() as seen:
        overview.overview(None)
    assert len(seen) > 20
    assert [step for sql, parameters in seen for step in scans(sql, parameters)] == []


def test_rows_are_of_an_hour_a_team_and_a_model() -> None:
    put(1)
    put(2)
    (row,) = overview.overview(None).rows
    assert row == Row(row.at, "payments", "m", Counts(calls=2))
    assert (row.at.minute, row.at.second) == (0, 0)
