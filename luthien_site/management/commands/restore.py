"""`manage.py restore FILE`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from luthien_site.backup import archive, making, restoring
from luthien_site.backup.archive import BadBackup, Reader
from luthien_site.backup.restoring import Refused
from observability.management.commands.verify_audit import Bar


class Command(BaseCommand):
    help = "Fills the database with what `backup` wrote into FILE, and verifies it. Luthien must not run meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="delete what the database holds")
        parser.add_argument("--with-keys", action="store_true", help="put the file's keys into the data directory too")

    def handle(self, *, file: Path, force: bool, with_keys: bool, **options: Any) -> None:
        bar = Bar(self.stderr.isatty())
        try:
            with archive.opened(file) as reader:
                if with_keys and not reader.keys():
                    raise CommandError("No keys are in it: it was made without --with-keys.")
                call_command("migrate", verbosity=0, interactive=False)
                restoring.restore(reader, restoring.check(reader, force=force), bar)
                self._tell(reader)
                if with_keys:
                    self._write_keys(reader)
                report = restoring.verify(reader, bar)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except (BadBackup, Refused) as error:
            raise CommandError(f"Nothing was restored. {error}") from None
        if report.first is not None:
            raise CommandError(f"It is restored, but {report.wrong} things are wrong: {report.first.what}")
        self.stdout.write(f"Verified: {report.leaves} leaves, {report.seals} seals, {report.bodies} bodies.")

    def _tell(self, reader: Reader) -> None:
        manifest = reader.manifest
        rows = sum(each["rows"] for each in manifest["tables"].values())
        self.stdout.write(f"Restored {rows} rows of {manifest['at']} ({manifest['database']}).")
        if aside := restoring.set_aside_anchor():
            self.stdout.write(f"The anchor begins anew; what it was is {aside}.")
        if manifest["secret_key"] != making.key_name():
            self.stdout.write(
                "The secret key is another than that of the backup: API keys and stored credentials do not work "
                "until it is put back (LUTHIEN_SECRET_KEY, or secret_key in the data directory)."
            )

    def _write_keys(self, reader: Reader) -> None:
        for path in restoring.write_keys(reader):
            self.stdout.write(f"Wrote {path}.")
