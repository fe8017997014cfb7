"""What a purge takes and leaves, and that the chain verifies after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from observability import audit
from observability.models import AuditEvent, Blob, BlobReference, Block, CallRecord, Decision, Job
from observability.recording.writer import Writer
from observability.retention import collector, holds, pace, purge
from observability.retention.kinds import Kind
from observability.retention.periods import set_period
from observability.reviews import labelling
from observability.reviews.models import WHOLE_CALL, Label, Review
from observability.tasks import purge_record
from tests.observability.retention.conftest import MUCH_LATER
from tests.observability.verification.conftest import Verify, rows

pytestmark = pytest.mark.django_db(transaction=True)


def calls() -> set[str]:
    return set(CallRecord.objects.values_list("pk", flat=True))


def run(now: object = MUCH_LATER) -> int:
    return sum(purge.purge(now))  # type: ignore[arg-type]


def test_what_is_old_goes_whole_and_the_chain_verifies(recorded: Writer, verify: Verify) -> None:
    assert run() == 5
    assert calls() == {"call_open"}
    assert set(Decision.objects.values_list("call_id", flat=True)) == {"call_open"}
    assert set(Block.objects.values_list("call_id", flat=True)) == {"call_open"}
    assert not BlobReference.objects.exclude(source__in=Blob.objects.values("pk")).exists()
    report = verify(anchor=True, bodies=True)
    assert (report.findings, report.removed) == ([], 6)


def test_labels_go_with_their_calls(recorded: Writer) -> None:
    for call in CallRecord.objects.filter(pk__in=("call_1", "call_open")):
        labelling.label(call, WHOLE_CALL, Label.MISSED, by="rita", comment="they wrote a name")
    run()
    assert list(Review.objects.values_list("call_id", "comment")) == [("call_open", "they wrote a name")]


def test_nothing_young_goes(recorded: Writer) -> None:
    assert run(timezone.now()) == 0
    assert len(calls()) == 6


def test_what_it_removed_is_on_record(recorded: Writer) -> None:
    run()
    last = AuditEvent.objects.get(action=purge.FINISHED)
    assert last.detail == {"calls": 5, "events": 0, "teams": {"payments": 5}}


def test_any_other_deletion_is_still_found(recorded: Writer, verify: Verify) -> None:
    holds.place("call", "call_2", "a lawsuit", actor="ada")
    run()
    assert calls() == {"call_2", "call_open"}
    assert verify().findings == []
    rows(CallRecord, pk="call_2")._raw_delete(using="default")
    assert any("leaf 3 of" in finding.what for finding in verify().findings)


def test_a_tombstone_that_is_taken_away_is_missed(recorded: Writer, verify: Verify) -> None:
    run()
    AuditEvent.objects.filter(action=purge.REMOVED).first().delete()  # type: ignore[union-attr]
    assert verify().findings != []


@pytest.mark.parametrize(
    ("scope", "name"), [("team", "payments"), ("key", "ci"), ("session", "session-1"), ("call", "call_1")]
)
def test_a_hold_wins_until_it_is_released(recorded: Writer, verify: Verify, scope: str, name: str) -> None:
    hold = holds.place(scope, name, "a lawsuit", actor="ada")
    kept = {"call_1"} if scope == "call" else calls() - {"call_open"}
    assert purge.due(MUCH_LATER).held == len(kept)
    run()
    assert calls() == kept | {"call_open"}
    assert verify().findings == []
    assert holds.release(hold, actor="grace") and not holds.release(hold, actor="grace")
    run()
    assert calls() == {"call_open"}
    assert verify().findings == []


def test_a_team_may_keep_its_calls_longer_or_shorter(recorded: Writer) -> None:
    CallRecord.objects.filter(pk="call_3").update(team="research")
    set_period(Kind.CALLS, 400, team="payments", actor="ada")
    assert purge.due(MUCH_LATER).taken.teams == {"research": 1}
    run()
    assert calls() == {"call_0", "call_1", "call_2", "call_late", "call_open"}
    set_period(Kind.CALLS, 1, team="payments", actor="ada")
    assert run(timezone.now() + timedelta(days=2)) == 4


def test_the_dry_run_says_what_goes_and_takes_nothing(recorded: Writer) -> None:
    holds.place("call", "call_2", "a lawsuit", actor="ada")
    due = purge.due(MUCH_LATER)
    assert (due.taken.calls, due.taken.events, due.held, due.taken.teams) == (4, 0, 1, {"payments": 4})
    assert due.oldest == CallRecord.objects.order_by("started_at").values_list("started_at", flat=True).first()
    assert len(calls()) == 6
    assert run() == due.taken.calls


def test_bodies_go_once_nothing_needs_them(recorded: Writer, verify: Verify) -> None:
    run()
    assert Blob.objects.exists()
    assert sum(collector.collect(MUCH_LATER)) > 0
    assert not Blob.objects.exists()
    assert verify(bodies=True).findings == []


def test_a_purge_that_is_killed_goes_on_where_it_was(
    recorded: Writer, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "FIRST", 1)
    monkeypatch.setattr(pace, "MOST", 1)
    begun: Iterator[int] = purge.purge(MUCH_LATER)
    assert [next(begun), next(begun)] == [1, 1]
    assert len(calls()) == 4
    assert verify().findings == []
    monkeypatch.setattr(purge, "bury", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        next(begun)
    assert len(calls()) == 4, "rows go with their tombstone or not at all"
    monkeypatch.undo()
    assert run() == 3
    report = verify()
    assert (report.findings, report.removed) == ([], 6)


def test_audit_events_go_too_but_not_what_proves_something(recorded: Writer, verify: Verify) -> None:
    run()
    proofs = AuditEvent.objects.exclude(commits={}).count()
    assert run(timezone.now() + timedelta(days=364)) == 0
    audit.record(actor="ada", action="key.revoked", subject="ci")
    run(timezone.now() + timedelta(days=731))
    assert AuditEvent.objects.exclude(commits={}).count() > proofs
    assert list(AuditEvent.objects.filter(commits={}).values_list("action", flat=True)) == [purge.FINISHED]
    report = verify(anchor=True)
    assert report.findings == []
    removed = report.removed
    AuditEvent.objects.filter(action="policy.activated").first().delete()  # type: ignore[union-attr]
    assert verify().findings != []
    assert removed > 6


def test_a_hold_that_is_placed_while_a_purge_runs_is_seen_by_its_next_step(
    recorded: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "FIRST", 1)
    begun = purge.purge(MUCH_LATER)
    next(begun)
    holds.place("team", "payments", "a lawsuit", actor="ada")
    assert list(begun) == []
    assert len(calls()) == 5


def test_beat_runs_it_as_a_job(recorded: Writer) -> None:
    CallRecord.objects.update(started_at=timezone.now() - timedelta(days=184))
    purge_record()
    job = Job.objects.get()
    assert (job.kind, job.state, job.progress) == ("purge", "done", 5)
    assert calls() == {"call_open"}
