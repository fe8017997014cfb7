"""What the workers do for the record."""

from typing import Literal

from celery import shared_task

from .jobs import jobs, workers
from .jobs.turns import in_turn
from .models import Job
from .reports import asking, building
from .retention import collector, work
from .retention.erasure import Subject
from .search import indexer, indexing
from .text import number_of

workers.accompany(workers.Pulse)
workers.accompany(lambda: indexer.of_worker(workers.own_name()))


@shared_task(name="observability.collect_blobs")
@in_turn(12 * 3600)
def collect_blobs() -> None:
    """Deletes the bodies that no record needs any more."""
    with jobs.running(jobs.create("collect_blobs", created_by="schedule")) as progress:
        for deleted in collector.collect():
            progress.advance(deleted, number_of(progress.job.progress + deleted, "body", "bodies") + " deleted")


@shared_task(name="observability.look_after_jobs")
@in_turn(30)
def look_after_jobs() -> None:
    """Begins jobs again whose worker is gone, or says of them that they failed."""
    jobs.look_after()


@shared_task(name="observability.purge")
@in_turn(12 * 3600)
def purge_record() -> None:
    """Removes what is older than its period and under no hold."""
    work.do_purge(jobs.create(work.PURGE, created_by="schedule", page=work.PAGE))


@shared_task(name="observability.purge_now")
def purge_now(pk: int) -> None:
    """The same, for the job of somebody who asked."""
    work.do_purge(Job.objects.get(pk=pk))


@shared_task(name="observability.erase")
def erase(pk: int, kind: Literal["session", "key"], name: str) -> None:
    """Erases what a session or key said, for the job of somebody who asked."""
    work.do_erase(Job.objects.get(pk=pk), Subject(kind, name))


@shared_task(name="observability.sweep_search")
@in_turn(12 * 3600)
def sweep_search() -> None:
    """Finds calls that came on record late, from a journal on disk, and that the search has not."""
    with jobs.running(jobs.create("sweep_search", created_by="schedule")) as progress:
        for found in indexing.sweep():
            progress.advance(found, number_of(progress.job.progress + found, "call") + " indexed")


@shared_task(name="observability.build_report")
def build_report(pk: int) -> None:
    """Builds the report of that key."""
    building.build(pk)


@shared_task(name="observability.expire_reports")
@in_turn(600)
def expire_reports() -> None:
    """Deletes the files of reports that are past their date."""
    asking.expire()
