"""`manage.py backup FILE`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from luthien_site.backup import making
from observability.management.commands.verify_audit import Bar
from observability.text import number_of


class Command(BaseCommand):
    help = "Writes all that the database knows, at this moment, into FILE. Luthien may go on meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--with-keys",
            action="store_true",
            help="put the secret key and the signing key in too: who has the file can then read stored credentials "
            "and forge seals",
        )

    def handle(self, *, file: Path, with_keys: bool, **options: Any) -> None:
        try:
            manifest = making.make(file, with_keys=with_keys, progress=Bar(self.stderr.isatty()))
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
        except DatabaseError as error:
            raise CommandError(f"Nothing was backed up: the database cannot be read ({error}).") from None
        except making.NotOnRecord:
            self._tell_of_keys(with_keys)
            raise CommandError(f"{file} is whole, but the database did not take that it was made.") from None
        tables = manifest["tables"]
        calls, rows = tables["observability_callrecord"]["rows"], sum(each["rows"] for each in tables.values())
        self.stdout.write(
            f"{file}: {number_of(calls, 'call')}, {number_of(rows, 'row')}, {number_of(manifest['seals'], 'seal')}"
        )
        self._tell_of_keys(with_keys)

    def _tell_of_keys(self, with_keys: bool) -> None:
        if with_keys:
            self.stdout.write("It holds the keys: keep it as safe as what they protect.")
        else:
            self.stdout.write("The secret key and the signing key are not in it: keep them elsewhere.")
