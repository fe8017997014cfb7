"""What is older than its period goes, in small transactions, each with a tombstone for the leaves that it takes.

Rows and tombstone go together, so a purge may be killed anywhere and begun again. What is due is looked for without a
lock, and asked again by the transaction that deletes. Bodies are left to the collector.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from observability import audit
from observability.models import AuditEvent, Block, CallRecord, Decision
from observability.sealing.keys import signing_key
from observability.sealing.tombstones import bury
from observability.text import number_of

from . import holds, references
from .kinds import Kind
from .leaves import Place, ranges
from .pace import Pace
from .periods import SUBJECT, periods
from .signals import contents_gone

ACTOR = "luthien"
REMOVED = "record.purged"
FINISHED = "retention.purged"


@dataclass
class Taken:
    """How much went, or would go. `teams` counts calls."""

    calls: int = 0
    events: int = 0
    teams: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{number_of(self.calls, 'call')} and {number_of(self.events, 'audit event')}"


@dataclass(frozen=True)
class Due:
    """What the next purge takes by team, and what it leaves because a hold names it."""

    taken: Taken
    held: int
    oldest: datetime | None


def purge(now: datetime | None = None, *, actor: str = ACTOR, pace: Pace | None = None) -> Iterator[int]:
    """Takes what is due, and yields how many rows went with each transaction; the end is an audit event of its own.

    No transaction takes more calls, or audit events, than `pace` allows.
    """
    now, pace, taken = now or timezone.now(), pace or Pace(), Taken()
    for calls in _due_calls(now):
        yield from _purge_calls(calls, pace, taken)
    yield from _purge_events(now, pace, taken)
    if taken.calls or taken.events:
        detail = {"calls": taken.calls, "events": taken.events, "teams": taken.teams}
        audit.record(actor=actor, action=FINISHED, subject=SUBJECT, detail=detail)


def due(now: datetime | None = None) -> Due:
    """What `purge` would do, without doing it."""
    now = now or timezone.now()
    held, taken, kept = holds.held(), Taken(), 0
    oldest: datetime | None = None
    for calls in _due_calls(now):
        kept += calls.filter(held).count()
        free = calls.exclude(held).order_by("started_at")
        for team in free.order_by().values_list("team", flat=True).distinct():
            taken.teams[team] = free.filter(team=team).count()
        first = free.values_list("started_at", flat=True).first()
        oldest = min(filter(None, (oldest, first)), default=None)
    taken.calls = sum(taken.teams.values())
    taken.events = _due_events(now).count()
    return Due(taken, kept, oldest)


def _due_calls(now: datetime) -> Iterator[QuerySet[CallRecord]]:
    """Calls that are over and older than their period: those of each team with one of its own, then all others."""
    kept = periods(Kind.CALLS)
    for team, cutoff in kept.cutoffs(now):
        calls = CallRecord.objects.filter(started_at__lt=cutoff, sequence__isnull=False)
        yield calls.exclude(team__in=kept.teams) if team is None else calls.filter(team=team)


def _purge_calls(calls: QuerySet[CallRecord], pace: Pace, taken: Taken) -> Iterator[int]:
    # What is held or somebody else's is passed once, not before each transaction.
    after: datetime | None = None
    while found := _free(calls if after is None else calls.filter(started_at__gte=after), pace.limit):
        after = found[-1][1]
        with pace.step():
            gone = _remove_calls(calls.filter(pk__in=[pk for pk, _ in found]), taken)
        yield gone


def _free(calls: QuerySet[CallRecord], limit: int) -> list[tuple[str, datetime]]:
    """The oldest of `calls` that no hold names: id and beginning."""
    free = calls.exclude(holds.held()).order_by("started_at", "id")
    return list(free.values_list("pk", "started_at")[:limit])


@transaction.atomic
def _remove_calls(calls: QuerySet[CallRecord], taken: Taken) -> int:
    audit.lock()
    free = calls.exclude(holds.held()).order_by("started_at", "id")
    rows = list(free.values("pk", "team", "boot_id", "sequence", "chain", *references.PAYLOADS))
    if not rows:
        return 0
    ids = [row["pk"] for row in rows]
    references.drop(references.of_calls(rows))
    places: list[Place] = [(row["boot_id"], row["sequence"], row["chain"]) for row in rows]
    late = Decision.objects.filter(call_id__in=ids, late=True)
    places += late.order_by().values_list("boot_id", "sequence", "chain")
    contents_gone.send(sender=purge, call_ids=ids, whole=True)
    for model in (Decision, Block):
        model._base_manager.filter(call_id__in=ids)._raw_delete("default")
    CallRecord.objects.filter(pk__in=ids)._raw_delete("default")
    _bury(places, calls=len(ids))
    for row in rows:
        taken.teams[row["team"]] = taken.teams.get(row["team"], 0) + 1
    taken.calls += len(ids)
    return len(ids)


def _due_events(now: datetime) -> QuerySet[AuditEvent]:
    """Those that prove nothing but themselves: what vouches for a row, or is a tombstone, stays for good."""
    (_, cutoff), *_ = periods(Kind.AUDIT).cutoffs(now)
    return AuditEvent.objects.filter(at__lt=cutoff, commits={})


def _purge_events(now: datetime, pace: Pace, taken: Taken) -> Iterator[int]:
    due = _due_events(now)
    after: datetime | None = None
    while found := _oldest(due if after is None else due.filter(at__gte=after), pace.limit):
        after = found[-1][1]
        with pace.step():
            gone = _remove_events(due.filter(pk__in=[pk for pk, _ in found]))
        taken.events += gone
        yield gone


def _oldest(events: QuerySet[AuditEvent], limit: int) -> list[tuple[int, datetime]]:
    return list(events.order_by("at", "id").values_list("pk", "at")[:limit])


@transaction.atomic
def _remove_events(events: QuerySet[AuditEvent]) -> int:
    audit.lock()
    rows = list(events.values("pk", "boot_id", "sequence", "chain"))
    if rows:
        AuditEvent.objects.filter(pk__in=[row["pk"] for row in rows])._raw_delete("default")
        _bury([(row["boot_id"], row["sequence"], row["chain"]) for row in rows], events=len(rows))
    return len(rows)


def _bury(places: list[Place], **counts: int) -> None:
    commits = bury("removed", ranges(places), signing_key())
    audit.record(actor=ACTOR, action=REMOVED, subject=SUBJECT, detail=counts, commits=commits)
