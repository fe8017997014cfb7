"""Building a report, by a worker. Whichever step it is killed at, a later worker builds it anew, and one hands it in.

An attempt works in a folder of its own. Its archive gets its name once it is whole, and counts once the report's row
says so, in one transaction with the job and the audit event. What other attempts left behind is swept away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from django.db import transaction

from observability import audit, queries
from observability.bodies.recipes import PayloadDamaged
from observability.exporters import EXPORTERS
from observability.exporters.base import CallExporter, EventExporter, RecordedCall, redacted
from observability.jobs import jobs
from observability.jobs.jobs import Cancelled, Failure, Progress
from observability.models import CallRecord, JobState
from observability.rows.statements import PAYLOADS
from observability.sealing.keys import signing_key
from observability.sealing.statement import Seal
from observability.text import number_of

from . import sources
from .facts import facts_of, ground
from .folder import archive_of, draft_name, folder, name_of, put_in_place, remove, sweep, working_folder
from .models import Report
from .writing import Counts, Draft, pack

log = structlog.get_logger(__name__)


def build(pk: int) -> None:
    """Build what was asked for; nothing happens if somebody does already, or it was cancelled."""
    report = Report.objects.select_related("job").filter(pk=pk, job__state=JobState.QUEUED).first()
    if report is None:
        return
    try:
        with jobs.running(report.job) as progress:
            sweep(report.pk, keep=report.file)
            # A worker that was killed right after it handed the report in left only the job open.
            if not report.file:
                make(report, progress)
    except Cancelled:
        log.info("another worker builds this report, or nobody is to", report=pk)
    except Failure as failure:
        log.error("a report could not be built", report=pk, why=str(failure))


def make(report: Report, progress: Progress) -> None:
    """Raises Cancelled, Failure and OSError."""
    if report.kind not in EXPORTERS:
        raise Failure(f"This version of Luthien has no report {report.kind!r}: ask for another.")
    stands_on = ground()
    attempt = progress.job.attempts
    place, final = folder() / draft_name(report.pk, attempt), folder() / name_of(report.pk, attempt)
    with own_files(report, place, final), working_folder(place) as work:
        draft = Draft(work, EXPORTERS[report.kind](report.filters), report.formats)
        write_rows(report, draft, progress)
        facts = facts_of(report, draft.counts, stands_on, datetime.now(UTC))
        progress.advance(0, "Packing and signing")
        progress.write()
        archive = archive_of(place)
        size, digest = pack(draft.close(facts), facts, signing_key(), archive, lambda: progress.advance(0))
        progress.write()
        put_in_place(archive, final)
        line = stands_on[0]
        report.seal = Seal.read(line).number if line else None
        report.file, report.size, report.digest = final.name, size, digest
        hand_in(report, draft.counts, progress)


def write_rows(report: Report, draft: Draft, progress: Progress) -> None:
    """Raises Cancelled and OSError."""
    exporter = draft.exporter
    if isinstance(exporter, CallExporter):
        chosen = sources.calls(report, exporter)
        progress.job.total = chosen.count()
        for page in sources.call_pages(chosen):
            for call in page:
                seen = report.seen_teams is None or call.row["team"] in report.seen_teams
                rows = exporter.rows(call if seen else redacted(call))
                draft.add_call(call, rows, **_said(report, exporter, call, seen))
                progress.advance(1, f"{draft.counts.calls:,} of {number_of(progress.job.total, 'call')}")
    elif isinstance(exporter, EventExporter):
        found = sources.events(report, exporter)
        progress.job.total = found.count()
        for events in sources.event_pages(found):
            for event in events:
                draft.add_event(event, exporter.rows(event))
                progress.advance(1, f"{draft.counts.events:,} of {number_of(progress.job.total, 'event')}")
    draft.add_rows(exporter.last_rows())


def hand_in(report: Report, counts: Counts, progress: Progress) -> None:
    """The report is there from now on. Raises Cancelled where another attempt counts, or none."""
    report.rows, report.calls, report.events = counts.rows, counts.calls, counts.events
    report.made_at = datetime.now(UTC)
    names = ("file", "size", "digest", "rows", "calls", "events", "seal", "made_at")
    with transaction.atomic():
        progress.advance(0, number_of(counts.rows, "row"))
        progress.write()
        waits = Report.objects.filter(pk=report.pk, file="")
        if not waits.update(**{name: getattr(report, name) for name in names}):
            raise Cancelled
        detail = {"report": report.kind, "rows": counts.rows, "calls": counts.calls, "sha256": report.digest}
        audit.record(actor=report.job.created_by, action="report.made", subject=str(report.pk), detail=detail)


@contextmanager
def own_files(report: Report, place: Path, final: Path) -> Iterator[None]:
    """What this attempt wrote goes where it fails, unless it was handed in."""
    try:
        yield
    except BaseException:
        remove(archive_of(place))
        if not Report.objects.filter(pk=report.pk, file=final.name).exists():
            remove(final)
        raise


def _said(report: Report, exporter: CallExporter, call: RecordedCall, seen: bool) -> dict[str, Any]:
    """How a call is put down: short, without what was said, with it, or with the word that it is redacted."""
    if not exporter.has_contents:
        return {"whole": False}
    if not report.contents:
        return {}
    return {"bodies": _bodies(call.row["id"])} if seen else {"redacted": True}


def _bodies(id: str) -> dict[str, bytes | str | None]:
    record = CallRecord.objects.filter(pk=id).first()
    return {} if record is None else {name: _body(record, name) for name in PAYLOADS}


def _body(record: CallRecord, name: str) -> bytes | str | None:
    try:
        return queries.payload(record, name)
    except PayloadDamaged as error:
        return f"it is damaged: {error}"
