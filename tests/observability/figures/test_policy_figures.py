from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from observability import audit
from observability.figures import policy_figures
from observability.figures.policy_figures import Figures, Row, Tally, tally
from observability.figures.seldom import Seldom
from observability.models import CallRecord, Decision

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_figures, "_recent", Seldom(policy_figures._look))


def judged(id: str, *actions: str, hours: float = 1, team: str = "payments", **values: object) -> datetime:
    """Puts a call of `hours` ago on record on which a policy decided `actions`; returns when it began."""
    at = timezone.now() - timedelta(hours=hours)
    CallRecord.objects.create(
        id=id, key="ci", team=team, session="s", model="m", dialect="d", path="/",
        streamed=False, snapshot=1, started_at=at,
    )  # fmt: skip
    common = {"policy": "judge", "version": 1, "mode": "enforce", "hook": "on_text", "block": "text 0", "at_ms": 0}
    for position, action in enumerate(actions):
        took = {"took_ms": 2.0 + position}
        Decision.objects.create(call_id=id, position=position, action=action, **(common | took | values))
    return at


def test_decisions_are_counted_by_what_they_meant() -> None:
    judged("a", "allow", "allow", "replace", "block", "failed_closed", "failed_open", "not_reached")
    total = policy_figures.figures(None).of_policy("judge").total
    assert (total.allowed, total.changed, total.blocked, total.failed, total.idle) == (2, 1, 1, 2, 1)
    assert (total.judged, total.took, total.slowest) == (6, 35.0, 8.0)
    assert total.mean == pytest.approx(35 / 6)


def test_nothing_judged_took_no_time() -> None:
    assert (tally([]), tally([]).mean) == (Tally(), 0.0)


def test_what_is_old_of_another_policy_or_asked_of_a_judge_is_not_counted() -> None:
    judged("a", "allow", hours=24.5)
    judged("b", "allow", policy="other")
    judged("c", "asked", hook="ask")
    found = policy_figures.figures(None)
    assert found.of_policy("judge").rows == ()
    assert found.of_policy("other").actions == [("allow", 1)]


def test_a_reader_sees_the_figures_of_its_teams() -> None:
    judged("a", "block", team="a")
    judged("b", "block", "allow", team="b")
    assert policy_figures.figures(["b"]).actions == [("allow", 1), ("block", 1)]
    assert policy_figures.figures([]).rows == ()


def test_every_hour_has_its_place_also_those_without_a_verdict() -> None:
    at = judged("a", "allow", hours=3)
    judged("b", "block", hours=0)
    hours = policy_figures.figures(None).hours
    assert len(hours) == 25
    assert [second[0] - first[0] for first, second in pairwise(hours)] == [timedelta(hours=1)] * 24
    assert [hour for hour, tally in hours if tally.allowed] == [at.replace(minute=0, second=0, microsecond=0)]
    assert hours[-1][1].blocked == 1


def test_a_busy_day_is_cut_to_the_newest_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_figures, "MOST_CALLS", 2)
    for number in range(4):
        since = judged(f"call_{number}", "block", hours=4 - number)
    found = policy_figures.figures(None)
    assert (found.cut, found.total.blocked) == (True, 3)
    assert found.since < since
    assert not Figures(found.since, False, ()).total.judged


def test_looking_costs_the_same_however_much_is_on_record(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(50):
        judged(f"call_{number}", "allow", hours=number)
    with django_assert_max_num_queries(27):
        policy_figures.figures(None)


def test_the_last_blocks_come_once_a_call_the_newest_first() -> None:
    for number, actions in enumerate((["block", "stop"], ["allow"], ["refuse"], ["failed_closed"])):
        judged(f"call_{number}", *actions, hours=4 - number)
    judged("other_team", "block", team="other", hours=0)
    judged("other_policy", "block", policy="other", hours=0)
    since = timezone.now() - timedelta(hours=5)
    found = policy_figures.last_stopped("judge", ["payments"], since, 10)
    assert [(decision.call_id, decision.action) for decision in found] == [
        *(("call_3", "failed_closed"), ("call_2", "refuse"), ("call_0", "block"))
    ]
    assert len(policy_figures.last_stopped("judge", None, since, 1)) == 1


def test_the_trail_is_of_one_policy_and_of_policies_alone() -> None:
    audit.record(actor="ada", action="policy.created", subject="judge")
    audit.record(actor="ada", action="team.created", subject="judge")
    audit.record(actor="ada", action="policy.created", subject="other")
    last = audit.record(actor="bob", action="policy.deactivated", subject="judge")
    assert [event.actor for event in policy_figures.audit_trail("judge", 10)] == ["bob", "ada"]
    assert list(policy_figures.audit_trail("judge", 1)) == [last]


def test_rows_can_be_chosen() -> None:
    rows = tuple(Row(timezone.now(), "t", "p", version, "enforce", "allow", version, 1.0, 1.0) for version in (1, 2))
    assert Figures(timezone.now(), False, rows).where(lambda row: row.version == 2).total.allowed == 2
