"""`manage.py purge`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from observability.jobs import jobs
from observability.retention import collector, purge
from observability.retention.pace import Pace
from observability.text import number_of


class Command(BaseCommand):
    help = "Deletes what is older than its period and under no hold, as beat does every night; see docs/retention.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and delete nothing")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        if dry_run:
            self._tell(purge.due())
            return
        pace = Pace()
        with jobs.running(jobs.create("purge", created_by="manage.py purge")) as progress:
            for gone in purge.purge(actor="manage.py purge", pace=pace):
                progress.advance(gone, number_of(progress.job.progress + gone, "row") + " deleted")
        blobs = sum(collector.collect(pace=pace))
        self.stdout.write(
            f"Deleted {progress.job.progress:,} calls and audit events, and {number_of(blobs, 'body', 'bodies')}."
        )
        self.stdout.write(f"The longest transaction took {pace.longest * 1000:.0f} ms, the wait for its turn included.")

    def _tell(self, due: purge.Due) -> None:
        since = f", the oldest of {due.oldest:%Y-%m-%d}" if due.oldest else ""
        self.stdout.write(f"Would go   {due.taken}{since}")
        for team, count in sorted(due.taken.teams.items()):
            self.stdout.write(f"           {number_of(count, 'call')} of {team or 'no team'}")
        self.stdout.write(f"Held       {number_of(due.held, 'call')} that would go, but for a legal hold")
