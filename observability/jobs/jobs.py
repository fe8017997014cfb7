"""Background work that people can watch: a Job row with progress, a heartbeat and a log.

A job that names its task is begun again where its worker died, or where its message was lost; such a task may find
what an earlier attempt left behind, and begins anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from observability.models import Job, JobState

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
STUCK_AFTER = timedelta(minutes=5)
"""Silence after which a job's worker is taken for dead."""
LOST_AFTER = timedelta(minutes=2)
"""How long a job waits before the broker is told of it once more, in case it forgot."""
MOST_ATTEMPTS = 3
LOG_LINES = 100


class Cancelled(Exception):
    """The job is to stop: somebody asked for that, or it was given up or taken by somebody else."""


class Failure(Exception):
    """The work cannot be done; the text is a sentence for whoever asked for it."""


def create(
    kind: str, created_by: str = "", total: int = 0, *, task: str = "", arguments: Sequence[Any] = (), page: str = ""
) -> Job:
    """A job that is queued; whoever does it wraps the work in `running`. `queue` hands it to a worker."""
    given = {"task": task, "arguments": list(arguments), "page": page}
    return Job.objects.create(kind=kind, created_by=created_by, total=total, **given)


def queue(job: Job) -> None:
    """Hand it to a worker once this transaction commits. Where the broker is away it is tried again by and by."""
    transaction.on_commit(lambda: _send(job))


class Progress:
    """What the work reports. The row is written once in BEAT_SECONDS at most, and that is its heartbeat."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._written = time.monotonic()

    def advance(self, steps: int = 1, message: str = "") -> None:
        """Raises Cancelled."""
        self.job.progress += steps
        if message:
            self.job.message = message
        if time.monotonic() - self._written >= BEAT_SECONDS:
            self.write()

    def say(self, line: str) -> None:
        """Add a line to the job's log, which people read: no content of calls, no secrets."""
        self.job.log = _logged(self.job.log, line)

    def write(self) -> None:
        """Raises Cancelled."""
        job = self.job
        job.heartbeat_at = timezone.now()
        report = {"progress": job.progress, "total": job.total, "message": job.message, "log": job.log}
        if not _this_run(job).filter(cancel_asked=False).update(**report, heartbeat_at=job.heartbeat_at):
            raise Cancelled
        self._written = time.monotonic()


@contextmanager
def running(job: Job) -> Iterator[Progress]:
    """The job runs inside; it is done at the end, or failed where the work raises, which it goes on to do.

    Raises Cancelled where the job is no longer queued; a Cancelled of the work ends it and goes no further.
    """
    now = timezone.now()
    begun = {"state": JobState.RUNNING, "started_at": now, "heartbeat_at": now, "attempts": F("attempts") + 1}
    waiting = Job.objects.filter(pk=job.pk, state=JobState.QUEUED)
    if not waiting.update(**begun, total=job.total, message=job.message):
        raise Cancelled
    job.refresh_from_db(fields=("state", "started_at", "heartbeat_at", "progress", "attempts", "log"))
    progress = Progress(job)
    try:
        yield progress
    except Cancelled:
        _finish(job, JobState.CANCELLED, "Cancelled.")
        return
    except BaseException as error:
        # Only the kind of other errors: their text may quote what nobody should read here.
        _finish(job, JobState.FAILED, str(error) if isinstance(error, Failure) else f"Failed: {type(error).__name__}")
        raise
    _finish(job, JobState.DONE, job.message)


def cancel(job: Job) -> bool:
    """End a job that is queued; one that runs ends when it reports next. False: it is over already."""
    now = timezone.now()
    queued = Job.objects.filter(pk=job.pk, state=JobState.QUEUED)
    if queued.update(state=JobState.CANCELLED, finished_at=now, message="Cancelled."):
        return True
    return bool(Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(cancel_asked=True))


def stuck() -> QuerySet[Job]:
    """Jobs that should run and have been silent for too long."""
    return Job.objects.filter(state=JobState.RUNNING, heartbeat_at__lt=timezone.now() - STUCK_AFTER)


def look_after() -> None:
    """Begin stuck jobs again, or end those that cannot be; tell the broker again of what waits for too long."""
    for job in stuck():
        _give_up(job)
    lost = Job.objects.filter(state=JobState.QUEUED, queued_at__lt=timezone.now() - LOST_AFTER).exclude(task="")
    for job in lost:
        _send(job)


def restart(job: Job) -> bool:
    """Put a job whose worker fell silent back among those that wait; False where it has been heard of since.

    Should the worker wake again, it is told that the job is no longer its own.
    """
    said = _logged(job.log, "Its worker fell silent; it is begun again.")
    begun = {"state": JobState.QUEUED, "started_at": None, "heartbeat_at": None, "progress": 0, "message": ""}
    return bool(_silent(job).update(**begun, queued_at=timezone.now(), log=said))


def _give_up(job: Job) -> None:
    now = timezone.now()
    if job.cancel_asked:
        _silent(job).update(state=JobState.CANCELLED, finished_at=now, message="Cancelled.")
    elif not job.task or job.attempts >= MOST_ATTEMPTS:
        _silent(job).update(state=JobState.FAILED, finished_at=now, message="Its worker stopped before it was done.")
    elif restart(job):
        _send(job)


def _send(job: Job) -> None:
    Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(queued_at=timezone.now())
    try:
        current_app.send_task(job.task, args=job.arguments, retry=False)
    except Exception:
        log.exception("a job could not be queued", job=job.pk, kind=job.kind)
        waits = Job.objects.filter(pk=job.pk, state=JobState.QUEUED)
        waits.update(message="The broker of jobs cannot be reached; it is tried again.")


def _this_run(job: Job) -> QuerySet[Job]:
    """The row, if it still runs as `job` began it: a second run of it began at another time."""
    return Job.objects.filter(pk=job.pk, state=JobState.RUNNING, started_at=job.started_at)


def _silent(job: Job) -> QuerySet[Job]:
    return _this_run(job).filter(heartbeat_at=job.heartbeat_at)


def _finish(job: Job, state: JobState, message: str) -> None:
    job.state, job.message, job.finished_at = state, message, timezone.now()
    job.heartbeat_at = job.finished_at
    job.log = _logged(job.log, message) if message else job.log
    # Whoever gave it up or began it anew meanwhile has the last word.
    _this_run(job).update(
        state=state,
        message=message,
        finished_at=job.finished_at,
        heartbeat_at=job.finished_at,
        progress=job.progress,
        total=job.total,
        log=job.log,
    )


def _logged(lines: str, line: str) -> str:
    """The log with one more line, which bears the time (UTC); the oldest go where there are too many."""
    kept = [*lines.splitlines(), f"{timezone.now():%H:%M:%S} {' '.join(line.split())[:500]}"]
    return "\n".join(kept[-LOG_LINES:])
