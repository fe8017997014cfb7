"""What the workers do for the record."""

from celery import shared_task

from . import collector, jobs


@shared_task(name="observability.collect_blobs")
def collect_blobs() -> None:
    """Deletes the bodies that no record needs any more."""
    with jobs.running(jobs.create("collect_blobs", created_by="schedule")) as progress:
        for deleted in collector.collect():
            progress.advance(deleted, f"{progress.job.progress + deleted} blobs deleted")


@shared_task(name="observability.fail_stuck_jobs")
def fail_stuck_jobs() -> None:
    """Says of jobs whose worker is gone that they failed."""
    jobs.fail_stuck()
