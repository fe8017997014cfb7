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


def create(kind: str, created_by: str = "", total: int = 0) -> Job:
    """A job that is queued; whoever does it wraps the work in `running`."""
    return Job.objects.create(kind=kind, created_by=created_by, total=total)


class Progress:
    """What the work reports. The row is written once in BEAT_SECONDS at most, and that is its heartbeat."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._written = time.monotonic()

    def advance(self, steps: int = 1, message: str = "") -> None:
        self.job.progress += steps
        if message:
            self.job.message = message
        if time.monotonic() - self._written >= BEAT_SECONDS:
            self.write()

    def write(self) -> None:
        self.job.heartbeat_at = timezone.now()
        self.job.save(update_fields=["progress", "total", "message", "heartbeat_at"])
        self._written = time.monotonic()


@contextmanager
def running(job: Job) -> Iterator[Progress]:
    """The job runs inside; it is done at the end, or failed where the work raises, which it goes on to do."""
    now = timezone.now()
    job.state, job.started_at, job.heartbeat_at = JobState.RUNNING, now, now
    job.save()
    progress = Progress(job)
    try:
        yield progress
    except BaseException as error:
        # Only the kind of error: its text may quote what nobody should read here.
        _finish(job, JobState.FAILED, f"Failed: {type(error).__name__}")
        raise
    _finish(job, JobState.DONE, job.message)


def stuck() -> QuerySet[Job]:
    """Jobs that should run and have been silent for too long."""
    return Job.objects.filter(state=JobState.RUNNING, heartbeat_at__lt=timezone.now() - STUCK_AFTER)


def fail_stuck() -> int:
    """Say of stuck jobs that they failed; returns how many."""
    return stuck().update(
        state=JobState.FAILED, finished_at=timezone.now(), message="Its worker stopped before it was done."
    )


def _finish(job: Job, state: JobState, message: str) -> None:
    job.state, job.message, job.finished_at = state, message, timezone.now()
    job.heartbeat_at = job.finished_at
    job.save()
