"""The verbs: ask for a report, stop it, take it away, delete it. Each is an audit event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from observability import audit
from observability.jobs import jobs
from observability.models import JobState
from observability.queries import Teams

from .facts import contents_told
from .folder import sweep
from .models import Report

KIND, TASK = "report", "observability.build_report"


@transaction.atomic
def ask_for(
    kind: str,
    *,
    since: datetime,
    until: datetime,
    filters: dict[str, str],
    formats: Sequence[str],
    contents: bool,
    keep: timedelta,
    teams: Teams,
    seen_teams: Teams,
    actor: str,
) -> Report:
    """A report, queued once this transaction commits. `teams` and `seen_teams` are those that the actor may see."""
    job = jobs.create(KIND, created_by=actor, task=TASK)
    report = Report.objects.create(
        job=job,
        kind=kind,
        since=since,
        until=until,
        filters=filters,
        formats=list(formats),
        contents=contents,
        teams=None if teams is None else list(teams),
        seen_teams=None if seen_teams is None else list(seen_teams),
        expires_at=timezone.now() + keep,
    )
    job.arguments, job.page = [report.pk], f"/reports/{report.pk}/"
    job.save(update_fields=["arguments", "page"])
    period = {"since": since.isoformat(), "until": until.isoformat()}
    detail = {"report": kind, **period, "filters": filters, "formats": list(formats), "contents": contents_told(report)}
    audit.record(actor=actor, action="report.asked", subject=str(report.pk), detail=detail)
    jobs.queue(job)
    return report


def cancel(report: Report, *, actor: str) -> None:
    """Stop it; nothing of it is left."""
    if jobs.cancel(report.job):
        audit.record(actor=actor, action="report.cancelled", subject=str(report.pk))


def note_download(report: Report, *, actor: str) -> None:
    """Put on record that `actor` is about to get the file. Whom the record does not take gets nothing: it raises."""
    detail = {"report": report.kind, "sha256": report.digest}
    audit.record(actor=actor, action="report.downloaded", subject=str(report.pk), detail=detail)


def discard(report: Report, *, actor: str, action: str = "report.deleted") -> None:
    """Delete its file; that there was one, and what it was, stays on record."""
    with transaction.atomic():
        if not Report.objects.filter(pk=report.pk, gone_at=None).update(file="", gone_at=timezone.now()):
            return
        audit.record(actor=actor, action=action, subject=str(report.pk), detail={"sha256": report.digest})
    sweep(report.pk)


def expire() -> int:
    """Delete the files of reports that are past their date; returns how many."""
    due = Report.objects.filter(expires_at__lt=timezone.now(), gone_at=None)
    over = due.exclude(job__state__in=(JobState.QUEUED, JobState.RUNNING))
    for report in over:
        discard(report, actor="schedule", action="report.expired")
    return len(over)
