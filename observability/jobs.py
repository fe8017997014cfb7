"""Background work that people can watch: a Job row with progress and a heartbeat."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from .models import Job, JobState

BEAT_SECONDS = 1.0
STUCK_AFTER = timedelta(minutes=5)


class Cancelled(Exception):
    """The job is to stop: somebody asked for that, or it was given up or taken by somebody else."""


def create(kind: str, created_by: str = "", total: int = 0) -> Job:
    """A job that is queued; whoever does it wraps the work in `running`."""
    return Job.objects.create(kind=kind, created_by=created_by, total=total)


class Failure(Exception):
    """The work cannot be done; the text is a sentence for whoever asked for it."""


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

    def write(self) -> None:
        """Raises Cancelled."""
        job = self.job
        job.heartbeat_at = timezone.now()
        report = {"progress": job.progress, "total": job.total, "message": job.message}
        wanted = _this_run(job).filter(cancel_asked=False)
        if not wanted.update(**report, heartbeat_at=job.heartbeat_at):
            raise Cancelled
        self._written = time.monotonic()


@contextmanager
def running(job: Job) -> Iterator[Progress]:
    """The job runs inside; it is done at the end, or failed where the work raises, which it goes on to do.

    Raises Cancelled where the job is no longer queued; a Cancelled of the work ends it and goes no further.
    """
    now = timezone.now()
    begun = {"state": JobState.RUNNING, "started_at": now, "heartbeat_at": now}
    waiting = Job.objects.filter(pk=job.pk, state=JobState.QUEUED)
    if not waiting.update(**begun, total=job.total, message=job.message):
        raise Cancelled
    job.state, job.started_at, job.heartbeat_at = JobState.RUNNING, now, now
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


def cancel(job: Job) -> None:
    """End a job that is queued; one that runs ends when it reports next. Nothing happens to one that is over."""
    now = timezone.now()
    queued = Job.objects.filter(pk=job.pk, state=JobState.QUEUED)
    if not queued.update(state=JobState.CANCELLED, finished_at=now, message="Cancelled."):
        Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(cancel_asked=True)


def stuck() -> QuerySet[Job]:
    """Jobs that should run and have been silent for too long."""
    return Job.objects.filter(state=JobState.RUNNING, heartbeat_at__lt=timezone.now() - STUCK_AFTER)


def fail_stuck() -> int:
    """Say of stuck jobs that they failed; returns how many."""
    return stuck().update(
        state=JobState.FAILED, finished_at=timezone.now(), message="Its worker stopped before it was done."
    )


def restart(job: Job) -> bool:
    """Put a job whose worker fell silent back among those that wait; False where it has been heard of since.

    Should the worker wake again, it is told that the job is no longer its own.
    """
    begun = {"state": JobState.QUEUED, "started_at": None, "heartbeat_at": None, "progress": 0}
    return bool(_this_run(job).filter(heartbeat_at=job.heartbeat_at).update(**begun))


def _this_run(job: Job) -> QuerySet[Job]:
    """The row, if it still runs as `job` began it: a second run of it began at another time."""
    return Job.objects.filter(pk=job.pk, state=JobState.RUNNING, started_at=job.started_at)


def _finish(job: Job, state: JobState, message: str) -> None:
    job.state, job.message, job.finished_at = state, message, timezone.now()
    job.heartbeat_at = job.finished_at
    # Whoever gave it up or began it anew meanwhile has the last word.
    _this_run(job).update(
        state=state,
        message=message,
        finished_at=job.finished_at,
        heartbeat_at=job.finished_at,
        progress=job.progress,
        total=job.total,
    )
