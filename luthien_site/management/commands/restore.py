"""`manage.py restore FILE`."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from luthien_site.backup import archive, making, restoring
from luthien_site.backup.archive import BadBackup, Reader
from luthien_site.backup.restoring import Refused
from observability.management.commands.verify_audit import Bar, read_key
from observability.sealing.keys import public_key
from observability.text import number_of


class Command(BaseCommand):
    help = "Fills the database with what `backup` wrote into FILE, and verifies it. Luthien must not run meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--check", action="store_true", help="say whether FILE is what was backed up, and stop")
        parser.add_argument("--key", action="append", default=[], metavar="PUB", help="trust this public key too")
        parser.add_argument("--force", action="store_true", help="delete what the database holds")
        parser.add_argument("--with-keys", action="store_true", help="put the file's keys into the data directory too")

    def handle(
        self, *, file: Path, check: bool, key: Sequence[str], force: bool, with_keys: bool, **options: Any
    ) -> None:
        keys, bar = [read_key(each) for each in key], Bar(self.stderr.isatty())
        try:
            with archive.opened(file) as reader:
                restoring.trust(reader, keys)
                if check:
                    self._check(reader, bar)
                else:
                    self._restore(reader, bar, force=force, with_keys=with_keys)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except (BadBackup, Refused) as error:
            raise CommandError(f"{'' if check else 'Nothing was restored. '}{error}") from None
        except DatabaseError as error:
            raise CommandError(f"The database failed: {error}") from None

    def _check(self, reader: Reader, bar: Bar) -> None:
        restoring.compare(reader, bar)
        whose = "this installation" if reader.key == public_key() else "the key that was given"
        self.stdout.write(f"It is what was backed up: {_content(reader)}, signed by {whose}.")

    def _restore(self, reader: Reader, bar: Bar, *, force: bool, with_keys: bool) -> None:
        if with_keys and not reader.keys():
            raise CommandError("No keys are in it: it was made without --with-keys.")
        call_command("migrate", verbosity=0, interactive=False)
        restoring.restore(reader, restoring.check(reader, force=force), bar)
        self._tell(reader)
        if with_keys:
            self._write_keys(reader)
        report = restoring.verify(reader, bar)
        if report.first is not None:
            raise CommandError(
                f"It is restored, but {number_of(report.wrong, 'thing is', 'things are')} wrong: {report.first.what}"
            )
        self.stdout.write(
            f"Verified: {number_of(report.leaves, 'leaf', 'leaves')}, {number_of(report.seals, 'seal')}, "
            f"{number_of(report.bodies or 0, 'body', 'bodies')}."
        )

    def _tell(self, reader: Reader) -> None:
        self.stdout.write(f"Restored {_content(reader)}.")
        if aside := restoring.set_aside_anchor():
            self.stdout.write(f"The anchor begins anew; what it was is {aside}.")
        if reader.manifest["secret_key"] != making.key_name():
            self.stdout.write(
                "The secret key is another than that of the backup: API keys and stored credentials do not work "
                "until it is put back (LUTHIEN_SECRET_KEY, or secret_key in the data directory)."
            )

    def _write_keys(self, reader: Reader) -> None:
        for path in restoring.write_keys(reader):
            self.stdout.write(f"Wrote {path}.")


def _content(reader: Reader) -> str:
    return f"{number_of(restoring.count(reader), 'row')} of {reader.manifest['at']} ({reader.manifest['database']})"
