"""What a report is made of, read from the record a page at a time, the oldest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from observability.exporters.base import STOPPING, CallExporter, EventExporter, Fields, RecordedCall
from observability.models import AuditEvent, Block, CallRecord, Decision
from observability.queries import visible_calls, with_outcome
from observability.rows.chain import AUDIT_FIELDS, BLOCK_FIELDS, CALL_FIELDS, DECISION_FIELDS
from observability.rows.statements import LINK_COLUMNS, PAYLOADS

from .models import Report

PAGE = 200
_CALL_COLUMNS = (*CALL_FIELDS, *PAYLOADS, "nonces", *LINK_COLUMNS)
_NAMES = ("team", "key", "model")


def calls(report: Report, exporter: CallExporter) -> QuerySet[CallRecord]:
    """The calls of a report, in no order: closed ones alone, since only they have a leaf."""
    chosen, filters = visible_calls(report.teams), exporter.filters
    chosen = chosen.filter(started_at__gte=report.since, started_at__lt=report.until, leaf__isnull=False)
    chosen = chosen.filter(**{name: filters[name] for name in _NAMES if name in filters})
    if outcome := filters.get("outcome"):
        chosen = with_outcome(chosen, outcome)
    decisions = Decision.objects.filter(call_id=OuterRef("pk"))
    judged = {name: filters[name] for name in ("policy", "action") if name in filters}
    if judged or exporter.judged:
        chosen = chosen.filter(Exists(decisions.filter(**judged)))
    if exporter.stopped:
        stopped = Exists(decisions.filter(mode="enforce", action__in=STOPPING))
        chosen = chosen.filter(stopped | Q(outcome__in=("blocked", "refused")))
    return chosen.order_by()


def call_pages(chosen: QuerySet[CallRecord]) -> Iterator[list[RecordedCall]]:
    """All of them with their blocks and decisions, by when they began."""
    place: tuple[datetime, str] | None = None
    while rows := _next_calls(chosen, place):
        ids = [row["id"] for row in rows]
        blocks = _children(Block.objects, ("call_id", *BLOCK_FIELDS), ids)
        decisions = _children(Decision.objects, ("call_id", *DECISION_FIELDS, *LINK_COLUMNS), ids)
        yield [RecordedCall(row, blocks[row["id"]], decisions[row["id"]]) for row in rows]
        place = rows[-1]["started_at"], rows[-1]["id"]


def events(report: Report, exporter: EventExporter) -> QuerySet[AuditEvent]:
    """The audit events of a report, in no order."""
    begins = reduce(or_, (Q(action__startswith=beginning) for beginning in exporter.actions))
    names = {name: exporter.filters[name] for name in ("actor", "subject") if name in exporter.filters}
    return AuditEvent.objects.filter(begins, at__gte=report.since, at__lt=report.until, **names).order_by()


def event_pages(chosen: QuerySet[AuditEvent]) -> Iterator[list[Fields]]:
    """All of them, by when they happened."""
    place: tuple[datetime, int] | None = None
    columns = ("pk", *AUDIT_FIELDS, *LINK_COLUMNS)
    while True:
        after = chosen if place is None else chosen.filter(Q(at__gt=place[0]) | Q(pk__gt=place[1]), at__gte=place[0])
        rows = list(after.order_by("at", "pk").values(*columns)[:PAGE])
        if not rows:
            return
        yield rows
        place = rows[-1]["at"], rows[-1]["pk"]


def _next_calls(chosen: QuerySet[CallRecord], place: tuple[datetime, str] | None) -> list[dict[str, Any]]:
    if place is not None:
        at, id = place
        chosen = chosen.filter(Q(started_at__gt=at) | Q(id__gt=id), started_at__gte=at)
    return list(chosen.order_by("started_at", "id").values(*_CALL_COLUMNS)[:PAGE])


def _children(rows: Any, columns: Sequence[str], ids: Sequence[str]) -> defaultdict[str, list[Fields]]:
    """The blocks or decisions of these calls, by call, in the order of their positions."""
    found: defaultdict[str, list[Fields]] = defaultdict(list)
    for row in rows.filter(call_id__in=ids).order_by("call_id", "position").values(*columns):
        found[row["call_id"]].append(row)
    return found
