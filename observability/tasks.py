"""What the workers do for the record."""

from celery import shared_task

from . import collector, jobs
from . import workers as workers
from .reports import asking, building
from .retention import purge
from .search import indexing
from .turns import in_turn


@shared_task(name="observability.collect_blobs")
@in_turn(12 * 3600)
def collect_blobs() -> None:
    """Deletes the bodies that no record needs any more."""
    with jobs.running(jobs.create("collect_blobs", created_by="schedule")) as progress:
        for deleted in collector.collect():
            progress.advance(deleted, f"{progress.job.progress + deleted} blobs deleted")


@shared_task(name="observability.look_after_jobs")
@in_turn(30)
def look_after_jobs() -> None:
    """Begins jobs again whose worker is gone, or says of them that they failed."""
    jobs.look_after()


@shared_task(name="observability.purge")
@in_turn(12 * 3600)
def purge_record() -> None:
    """Removes what is older than its period and under no hold."""
    with jobs.running(jobs.create("purge", created_by="schedule")) as progress:
        for gone in purge.purge():
            progress.advance(gone, f"{progress.job.progress + gone} rows deleted")


@shared_task(name="observability.sweep_search")
@in_turn(12 * 3600)
def sweep_search() -> None:
    """Finds calls that came on record late, from a journal on disk, and that the search has not."""
    with jobs.running(jobs.create("sweep_search", created_by="schedule")) as progress:
        for found in indexing.sweep():
            progress.advance(found, f"{progress.job.progress + found} calls indexed")


@shared_task(name="observability.build_report")
def build_report(pk: int) -> None:
    """Builds the report of that key."""
    building.build(pk)


@shared_task(name="observability.expire_reports")
@in_turn(600)
def expire_reports() -> None:
    """Deletes the files of reports that are past their date."""
    asking.expire()
