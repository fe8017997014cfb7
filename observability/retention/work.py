"""Purges and erasures as jobs: asked for on a page, run by a worker; one that dies is begun again and goes on."""

from __future__ import annotations

from django.db import transaction

from observability import audit
from observability.jobs import jobs
from observability.models import Job
from observability.text import number_of

from . import collector, erasure, purge, scrubbing
from .erasure import Erased, Subject
from .pace import Pace
from .periods import SUBJECT

PURGE, ERASURE = "purge", "erasure"
KINDS = (PURGE, ERASURE)
PAGE = "/retention/"


@transaction.atomic
def ask_for_purge(*, actor: str) -> Job:
    """A purge now, queued once this transaction commits."""
    job = _asked_for(PURGE, actor, "observability.purge_now")
    audit.record(actor=actor, action="retention.purge_asked", subject=SUBJECT)
    return job


@transaction.atomic
def ask_for_erasure(subject: Subject, *, actor: str) -> Job:
    """An erasure, queued once this transaction commits."""
    job = _asked_for(ERASURE, actor, "observability.erase", subject.kind, subject.name)
    audit.record(actor=actor, action="retention.erasure_asked", subject=str(subject))
    return job


def do_purge(job: Job) -> None:
    """Purges, and collects what no record needs any more."""
    pace = Pace()
    with jobs.running(job) as progress:
        for gone in purge.purge(actor=job.created_by, pace=pace):
            progress.advance(gone, number_of(job.progress + gone, "row") + " deleted")
        bodies = 0
        for gone in collector.collect(pace=pace):
            bodies += gone
            progress.advance(0, _deleted(job.progress, bodies))
        progress.job.message = _deleted(job.progress, bodies)
        progress.say(f"The longest transaction took {pace.longest * 1000:.0f} ms.")


def do_erase(job: Job, subject: Subject) -> None:
    """Erases, and leaves as little of it on disk as can be without stopping calls."""
    done = Erased()
    with jobs.running(job) as progress:
        for gone in erasure.erase(subject, actor=job.created_by, done=done):
            progress.advance(gone, number_of(job.progress + gone, "call") + " erased")
        scrubbing.empty_log()


def _asked_for(kind: str, actor: str, task: str, *arguments: str) -> Job:
    job = jobs.create(kind, created_by=actor, task=task, page=PAGE)
    job.arguments = [job.pk, *arguments]
    job.save(update_fields=["arguments"])
    jobs.queue(job)
    return job


def _deleted(rows: int, bodies: int) -> str:
    return f"{number_of(rows, 'row')} deleted, and {number_of(bodies, 'body', 'bodies')}"
