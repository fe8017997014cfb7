from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync

from observability.models import CallRecord, SessionCall, SessionSummary
from observability.retention import erasure, purge
from observability.search import indexing
from tests.console import seed
from tests.observability.conftest import MakeWriter
from tests.observability.retention.conftest import MUCH_LATER
from tests.observability.test_queries import START, add

pytestmark = pytest.mark.django_db
FIGURES = ("calls", "blocked", "changed", "failed", "input_tokens", "output_tokens", "cost_microdollars")


def index() -> None:
    while indexing.catch_up():
        pass


def figures(session: str = "s", team: str = "payments") -> dict[str, int]:
    found = SessionSummary.objects.filter(session=session, team=team).values(*FIGURES).first() or {}
    return {name: value for name, value in found.items() if value}


def test_a_session_amounts_to_its_calls() -> None:
    add(1, outcome="finished", input_tokens=10, output_tokens=1, cost_microdollars=5)
    add(2, outcome="blocked", changed_response=True, model="n", input_tokens=20)
    add(9, outcome="cut", closed_at=START + timedelta(hours=1))
    add(4, outcome="finished", session="")
    add(5, outcome="finished", team="other")
    index()
    sums = {"calls": 3, "blocked": 1, "changed": 1, "failed": 1, "input_tokens": 30, "output_tokens": 1}
    assert figures() == sums | {"cost_microdollars": 5}
    assert figures(team="other") == {"calls": 1}
    summary = SessionSummary.objects.get(team="payments")
    assert (summary.started_at, summary.last_at) == (START, START + timedelta(hours=1))
    assert (summary.model, summary.key) == ("m", "ci")
    assert SessionSummary.objects.count() == 2


def test_a_call_counts_when_it_is_over_and_once_however_often_it_is_indexed() -> None:
    add(1, outcome="open")
    index()
    assert (SessionSummary.objects.get().calls, SessionCall.objects.get().is_counted) == (0, False)
    CallRecord.objects.update(outcome="finished", input_tokens=7)
    index()
    for call in indexing._calls():
        indexing._add([call])
    assert figures() == {"calls": 1, "input_tokens": 7}


def test_what_is_forgotten_is_subtracted_and_counted_again_where_it_is_indexed_again() -> None:
    for number in range(4):
        add(number, outcome="finished", input_tokens=number)
    add(8, outcome="open")
    index()
    indexing.forget(["call_000", "call_001", "call_002", "call_nowhere"])
    assert figures() == {"calls": 1, "input_tokens": 3}
    assert SessionSummary.objects.get().started_at == START + timedelta(seconds=1)
    indexing.forget(["call_003"])
    assert figures() == {}
    assert SessionSummary.objects.count() == 1, "a call of it is running"
    indexing.forget(["call_008"])
    assert not SessionSummary.objects.exists() and not SessionCall.objects.exists()
    assert sum(indexing.sweep()) == 5
    assert figures() == {"calls": 4, "input_tokens": 6}


def test_a_session_of_two_teams_is_settled_for_each() -> None:
    for number, team in ((0, "payments"), (3, "other"), (6, "other")):
        add(number, outcome="finished", team=team)
    index()
    indexing.forget(["call_000", "call_003"])
    left = SessionSummary.objects.get()
    assert (left.team, left.calls, left.started_at) == ("other", 1, START + timedelta(seconds=3))


@pytest.mark.django_db(transaction=True)
def test_what_is_erased_or_purged_is_gone_from_the_sessions(make_writer: MakeWriter) -> None:
    writer = make_writer()
    for number, session in enumerate(("gone", "gone", "kept")):
        asked, said = seed.request("words"), seed.answer(seed.text("said"))
        async_to_sync(seed.put_on_record)(writer, f"call_{number}", asked, said, session=session)
    writer.stop(60)
    index()
    assert figures("gone") == {"calls": 2, "input_tokens": 24, "output_tokens": 68, "cost_microdollars": 3000}
    for _ in erasure.erase(erasure.Subject("session", "gone"), actor="ada"):
        pass
    assert list(SessionSummary.objects.values_list("session", flat=True)) == ["kept"]
    assert list(SessionCall.objects.values_list("session", flat=True)) == ["kept"]
    assert sum(purge.purge(MUCH_LATER)) == 3
    assert not SessionSummary.objects.exists() and not SessionCall.objects.exists()
