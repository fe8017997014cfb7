"""What a backtest finds, over which calls, and what becomes of one that is cut short."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from gateway.console.backtest import comparing, results, running
from gateway.console.backtest.changes import change, recorded_fate
from gateway.console.backtest.models import BacktestCall
from observability.jobs import jobs
from observability.models import CallRecord, Job
from observability.recording.writer import Writer
from observability.retention.erasure import Subject, erase
from policies import services
from policies.models import Terms
from tests.console import seed
from tests.console.backtests import done, made, queued, twenty

__all__ = ["queued"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_finds_what_would_flip(queued: list[int]) -> None:
    seed.fill(twenty)
    backtest = made()
    assert queued == [backtest.pk]
    assert done(backtest) == {"newly_blocked": {"now": 5, "then": 5}, "unchanged": {"now": 15, "then": 15}}
    assert {row.reason for row in results.chosen(backtest, "now", "newly_blocked")} == {
        "draft: this tool is not allowed"
    }
    assert (backtest.job.progress, backtest.job.total) == (20, 20)


def test_a_call_that_was_blocked_then_and_would_pass_now_is_newly_allowed(queued: list[int]) -> None:
    seed.fill(seed.ordinary)
    counts = done(made("noop", {}))
    assert counts["newly_allowed"] == {"now": 0, "then": 1}
    assert counts["unchanged"] == {"now": 2, "then": 1}


def test_the_version_in_force_against_itself_changes_nothing(queued: list[int]) -> None:
    seed.fill(twenty)
    policy = services.create_policy("loud", actor="ada")
    services.activate(services.create_version(policy, "uppercase", {}, actor="ada"), actor="ada")
    same = done(made("uppercase", {}, policy="loud"))
    assert same == {"unchanged": {"now": 20, "then": 0}, "rewritten": {"now": 0, "then": 20}}
    other = done(made("uppercase_nth_word", {"n": 1}, policy="loud"))
    assert other["unchanged"]["now"] == 20
    assert done(made("noop", {}, policy="loud"))["rewritten"]["now"] == 20


def test_alone_it_is_compared_with_its_own_verdicts(queued: list[int]) -> None:
    seed.fill(seed.ordinary)
    other = services.create_version(services.create_policy("all", actor="ada"), "tool_filter", {}, actor="ada")
    services.activate(other, Terms(mode="enforce"), actor="ada")
    own = done(made("noop", {}, policy="no-shell-deletes", together=False))
    assert own["newly_allowed"] == {"now": 0, "then": 1}
    stranger = done(made("noop", {}, policy="stranger", together=False))
    assert stranger == {"unchanged": {"now": 2, "then": 2}}


def test_only_the_newest_calls_that_match_are_replayed_the_oldest_first(queued: list[int]) -> None:
    seed.fill(twenty, seed.ordinary)
    assert running.selected(made(most=3)) == ["call_19", seed.BLOCKED, seed.PLAIN]
    assert running.selected(made(filters={"team": "research"})) == [seed.PLAIN]
    assert running.selected(made(filters={"outcome": "blocked"})) == [seed.BLOCKED]
    assert running.selected(made(filters={"outcome": "finished", "session": "session-1"}, most=1)) == [seed.PLAIN]
    assert running.selected(made(teams=["research"])) == [seed.PLAIN]
    assert running.selected(made(teams=[])) == []
    moment = CallRecord.objects.get(pk="call_10").started_at.isoformat()
    assert len(running.selected(made(filters={"until": moment}))) == 10
    assert len(running.selected(made(filters={"since": moment}))) == 12
    assert running.selected(made(filters={"dialect": "openai_chat"})) == []


async def pinned(writer: Writer) -> None:
    """A session in which a tool changes."""
    for number, words in enumerate(("The weather", "The weather", "The weather, always")):
        asked = seed.request("Hello") | {"tools": [{"name": "weather", "description": words, "input_schema": {}}]}
        await seed.put_on_record(writer, f"call_{number}", asked, seed.answer(seed.text("Hello.")))


def test_what_policies_remember_of_a_session_is_the_backtests_own(queued: list[int]) -> None:
    seed.fill(pinned)
    for _ in range(2):
        backtest = made("tool_pinning", {})
        done(backtest)
        assert list(backtest.calls.values_list("new", flat=True)) == ["allowed", "allowed", "blocked"]


def test_a_call_that_cannot_be_replayed_is_told_and_takes_no_other_with_it(
    queued: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    seed.fill(twenty)
    CallRecord.objects.filter(pk="call_03").update(truncated=["request_original"])
    real = comparing.compare

    def compare(player: Any, call: CallRecord, *rest: Any) -> Any:
        if call.pk == "call_05":
            raise ZeroDivisionError
        return real(player, call, *rest)

    monkeypatch.setattr(running, "compare", compare)
    backtest = made()
    done(backtest)
    problems = dict(backtest.calls.exclude(problem="").values_list("call_id", "problem"))
    assert problems == {
        "call_03": "This call was too large to be kept whole, so it cannot be replayed.",
        "call_05": "Replaying this call failed within Luthien.",
    }
    assert results.totals(backtest)["problems"] == 2


def test_a_policy_that_cannot_be_loaded_fails_the_job(queued: list[int]) -> None:
    seed.fill(twenty)
    backtest = made("tool_filter", {"no": 1})
    with pytest.raises(Exception, match="Extra inputs"):
        running.run(backtest.pk)
    backtest.refresh_from_db()
    assert (backtest.job.state, backtest.is_whole) == ("failed", False)


def test_a_worker_that_takes_it_twice_does_it_once(queued: list[int]) -> None:
    seed.fill(twenty)
    backtest = made()
    done(backtest)
    running.run(backtest.pk)
    assert backtest.calls.count() == 20


def test_one_whose_worker_died_begins_anew(queued: list[int]) -> None:
    seed.fill(twenty)
    backtest = made()
    BacktestCall.objects.create(backtest=backtest, position=0, call_id="call_19")
    Job.objects.update(state="running", attempts=1, heartbeat_at=timezone.now() - jobs.STUCK_AFTER * 2)
    jobs.look_after()
    assert queued == [backtest.pk, backtest.pk]
    backtest.refresh_from_db()
    done(backtest)
    assert backtest.calls.count() == 20


def test_one_that_is_cancelled_ends_with_what_it_has(queued: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    seed.fill(twenty)
    waiting = made()
    running.cancel(waiting, actor="ada")
    running.run(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.job.state, waiting.calls.count()) == ("cancelled", 0)
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(running, "AT_ONCE", 1)
    under_way, real = made(), comparing.compare

    def compare(*given: Any) -> Any:
        if under_way.calls.count() == 3:
            running.cancel(under_way, actor="ada")
        return real(*given)

    monkeypatch.setattr(running, "compare", compare)
    running.run(under_way.pk)
    under_way.refresh_from_db()
    assert (under_way.job.state, under_way.calls.count(), under_way.is_whole) == ("cancelled", 4, False)


@pytest.mark.parametrize(
    ("before", "after", "same", "kind"),
    [
        ("allowed", "allowed", True, "unchanged"),
        ("allowed", "allowed", False, "rewritten"),
        ("allowed", "rewritten", True, "rewritten"),
        ("allowed", "blocked", False, "newly_blocked"),
        ("rewritten", "blocked", False, "newly_blocked"),
        ("blocked", "allowed", False, "newly_allowed"),
        ("blocked", "blocked", True, "unchanged"),
        ("blocked", "blocked", False, "rewritten"),
        ("undecided", "blocked", False, "unknown"),
        ("blocked", "undecided", False, "unknown"),
    ],
)
def test_every_change_has_its_name(before: str, after: str, same: bool, kind: str) -> None:
    assert change(before, after, same) == kind


@pytest.mark.parametrize(
    ("outcome", "changed", "actions", "fate"),
    [
        ("finished", False, ["allow"], "allowed"),
        ("finished", True, ["replace"], "rewritten"),
        ("finished", False, ["respond"], "rewritten"),
        ("cancelled", True, ["block"], "blocked"),
        ("refused", False, [], "blocked"),
    ],
)
def test_the_record_tells_what_became_of_a_call(outcome: str, changed: bool, actions: list[str], fate: str) -> None:
    assert recorded_fate(outcome, changed, actions) == fate


def test_what_is_erased_is_erased_from_backtests_too(queued: list[int]) -> None:
    seed.fill(twenty)
    backtest = made()
    done(backtest)
    key = CallRecord.objects.values_list("key", flat=True)[0]
    calls = list(CallRecord.objects.filter(key=key).values_list("pk", flat=True))
    list(erase(Subject("key", key), actor="ada"))
    assert not backtest.calls.filter(call_id__in=calls).exclude(reason="", judgements={}).exists()
    assert backtest.calls.count() == 20
