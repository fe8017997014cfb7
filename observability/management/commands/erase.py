"""`manage.py erase`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from observability.retention import erasure, scrubbing
from observability.retention.erasure import Erased, Subject
from observability.text import number_of

ACTOR = "manage.py erase"


class Command(BaseCommand):
    help = (
        "Erases what a session, or a key, said and was told. That there were calls stays on record, and verifies. "
        "It cannot be undone; see docs/retention.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--session", metavar="SESSION")
        which.add_argument("--key", metavar="KEY", help="the name of a key: all sessions of it")
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and erase nothing")
        parser.add_argument(
            "--vacuum", action="store_true", help="also rewrite the tables, so that nothing is left in unused pages"
        )

    def handle(self, *, session: str | None, key: str | None, dry_run: bool, vacuum: bool, **options: Any) -> None:
        subject = Subject("session", session) if session is not None else Subject("key", key or "")
        found = erasure.find(subject)
        self.stdout.write(f"Calls      {found.erasable:,} to erase, {found.erased:,} erased before")
        if found.held:
            self.stdout.write(f"Held       {found.held:,} stay: a legal hold names them")
        if found.open:
            self.stdout.write(f"Open       {found.open:,} have not ended: erase again when they have")
        if dry_run:
            return
        done = Erased()
        for _ in erasure.erase(subject, actor=ACTOR, done=done):
            pass
        self._tell(done)
        if vacuum:
            scrubbing.rewrite()
        if not scrubbing.empty_log():
            self.stdout.write("The database's log is being read and could not be cut; run it again to do so.")

    def _tell(self, done: Erased) -> None:
        bodies = done.bodies
        self.stdout.write(
            f"Erased     {number_of(done.calls, 'call')}, {number_of(done.verdicts, 'late verdict')}, "
            f"{_bodies(bodies.deleted)}"
        )
        if done.reports:
            self.stdout.write(
                f"Withdrawn  {number_of(done.reports, 'report')} with bodies of that time, which can be built anew"
            )
        if bodies.rebuilt:
            self.stdout.write(f"Rebuilt    {_bodies(bodies.rebuilt)} of others that were built on these")
        if bodies.waiting:
            self.stdout.write(
                f"Waiting    {_bodies(bodies.waiting)} in use within the last 24 hours, for the nightly collection"
            )


def _bodies(count: int) -> str:
    return number_of(count, "body", "bodies")
