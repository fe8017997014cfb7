"""Erasing what one session, or one key, said and was told; that there were calls stays on record, and verifies.

Each transaction erases some calls and says so in a tombstone, the newest first: what is built on a body goes before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from django.db.models import Max, Min, Q, QuerySet
from django.utils import timezone

from observability import audit
from observability.models import Block, CallRecord, Decision
from observability.rows import chain
from observability.sealing.keys import signing_key
from observability.sealing.tombstones import bury

from . import holds, references, scrubbing
from .leaves import ranges
from .leftovers import Freed, let_go
from .pace import Pace
from .purge import ACTOR
from .reports import withdraw
from .signals import contents_gone

ERASED, REMOVED, FINISHED = "record.erased", "record.verdicts_erased", "retention.erased"
NOTHING: dict[str, Any] = {
    "nonces": b"",
    **dict.fromkeys((*references.PAYLOADS, "opening_bodies", "closing_bodies")),
    **{name: [] if name in chain.JSON_FIELDS else "" for name in chain.HIDDEN_FIELDS},
}


@dataclass(frozen=True)
class Subject:
    """Whose contents are to go: those of the session, or of the key, of that name."""

    kind: Literal["session", "key"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def calls(self) -> QuerySet[CallRecord]:
        return CallRecord.objects.filter(**{self.kind: self.name})


@dataclass(frozen=True)
class Found:
    """What an erasure would find: calls by what becomes of them, and when the first and the last began."""

    erasable: int
    held: int
    open: int
    erased: int
    first: datetime | None
    last: datetime | None


@dataclass
class Erased:
    """How much went: calls lost their contents, late verdicts and reports went whole; what became of the bodies."""

    calls: int = 0
    verdicts: int = 0
    reports: int = 0
    bodies: Freed = field(default_factory=Freed)


def find(subject: Subject) -> Found:
    """What `erase` would do, without doing it."""
    calls, held = subject.calls, holds.held()
    within = calls.aggregate(first=Min("started_at"), last=Max("started_at"))
    return Found(
        erasable=_erasable(subject).exclude(held).count(),
        held=_erasable(subject).filter(held).count(),
        open=calls.filter(sequence=None).count(),
        erased=calls.filter(nonces=b"").count(),
        **within,
    )


def erase(
    subject: Subject,
    *,
    actor: str,
    done: Erased | None = None,
    now: datetime | None = None,
    pace: Pace | None = None,
) -> Iterator[int]:
    """Erase, and yield how many calls each transaction erased. It may be killed anywhere and begun again.

    No transaction erases more calls, or late verdicts, than `pace` allows.
    """
    now, pace, done = now or timezone.now(), pace or Pace(), done if done is not None else Erased()
    period = _erasable(subject).aggregate(first=Min("started_at"), last=Max("started_at"))
    done.reports += _withdraw(**period)
    scrubbing.overwrite_what_is_deleted()
    for calls in _walked(subject, pace):
        with pace.step():
            erased = _erase_calls(subject, calls, now, done)
        yield erased
    while late := _late(subject, pace.limit):
        with pace.step():
            done.verdicts += _erase_late(subject, late)
        yield 0
    done.reports += _withdraw(**period)  # those that were begun meanwhile
    bodies = done.bodies
    detail = {
        "calls": done.calls,
        "verdicts": done.verdicts,
        "bodies": bodies.deleted,
        "waiting": bodies.waiting,
        "reports": done.reports,
    }
    audit.record(actor=actor, action=FINISHED, subject=str(subject), detail=detail)


def _withdraw(first: datetime | None, last: datetime | None) -> int:
    return withdraw(first, last) if first is not None and last is not None else 0


def _erasable(subject: Subject) -> QuerySet[CallRecord]:
    return subject.calls.filter(~Q(nonces=b""), sequence__isnull=False)


def _walked(subject: Subject, pace: Pace) -> Iterator[list[str]]:
    """Ids of calls to be erased, the newest first; then of those that came meanwhile, until none is left."""
    calls = _erasable(subject).order_by("-started_at", "-id")
    while page := _free(calls, pace.limit):
        # What is erased already is passed once, not before each transaction.
        while page:
            yield [pk for pk, _ in page]
            page = _free(calls.filter(started_at__lte=page[-1][1]), pace.limit)


def _free(calls: QuerySet[CallRecord], limit: int) -> list[tuple[str, datetime]]:
    return list(calls.exclude(holds.held()).values_list("pk", "started_at")[:limit])


@transaction.atomic
def _erase_calls(subject: Subject, calls: list[str], now: datetime, done: Erased) -> int:
    audit.lock()
    free = _erasable(subject).filter(pk__in=calls).exclude(holds.held()).order_by("-started_at", "-id")
    rows = list(free.values("pk", "nonces", "boot_id", "sequence", "chain", *references.PAYLOADS))
    if not rows:
        return 0
    ids = [row["pk"] for row in rows]
    needed = references.of_calls(rows)
    references.drop(needed)
    _hide_arguments({row["pk"]: bytes(row["nonces"]) for row in rows})
    Decision.objects.filter(call_id__in=ids, late=False).update(reason="", evidence=None)
    CallRecord.objects.filter(pk__in=ids).update(**NOTHING)
    for id in ids:
        done.bodies += let_go(needed.get(id, set()), now)
    contents_gone.send(sender=erase, call_ids=ids, whole=False)
    commits = bury("erased", ranges((row["boot_id"], row["sequence"], row["chain"]) for row in rows), signing_key())
    audit.record(actor=ACTOR, action=ERASED, subject=str(subject), detail={"calls": len(ids)}, commits=commits)
    done.calls += len(ids)
    return len(ids)


def _hide_arguments(nonces: dict[str, bytes]) -> None:
    """Put the commitments of blocks, which the leaf says, in place of their contents."""
    blocks = list(Block.objects.filter(call_id__in=nonces).exclude(content=None).only("call_id", "position", "content"))
    for block in blocks:
        block.content = chain.commit(nonces[block.call_id], bytes(block.content or b""))
        block.arguments = None
    Block.objects.bulk_update(blocks, ["content", "arguments"])


def _late(subject: Subject, limit: int) -> list[Any]:
    return list(_late_of(subject).order_by("call_id", "position").values_list("pk", flat=True)[:limit])


def _late_of(subject: Subject) -> QuerySet[Decision]:
    """Verdicts that came late are leaves of their own, in which all they say stands: they go whole."""
    calls = subject.calls.filter(nonces=b"").exclude(holds.held()).order_by()
    return Decision.objects.filter(late=True, call__in=calls.values("pk"))


@transaction.atomic
def _erase_late(subject: Subject, late: list[Any]) -> int:
    audit.lock()
    rows = list(_late_of(subject).filter(pk__in=late).values("pk", "boot_id", "sequence", "chain"))
    if not rows:
        return 0
    Decision.objects.filter(pk__in=[row["pk"] for row in rows])._raw_delete("default")
    commits = bury("removed", ranges((row["boot_id"], row["sequence"], row["chain"]) for row in rows), signing_key())
    detail = {"verdicts": len(rows)}
    audit.record(actor=ACTOR, action=REMOVED, subject=str(subject), detail=detail, commits=commits)
    return len(rows)
