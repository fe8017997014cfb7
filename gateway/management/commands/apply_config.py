"""`manage.py apply_config FILE`."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gateway.config_file import ConfigError, apply
from policies.services import revision


class Command(BaseCommand):
    help = "Applies a configuration file: providers, models, keys, policies, retention. All of it, or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the YAML file; - reads standard input")

    def handle(self, *, file: str, **options: Any) -> None:
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
            changes = apply(text, actor="apply_config")
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise CommandError(f"{file} is not UTF-8.") from None
        except ConfigError as error:
            raise CommandError(f"Nothing was changed. {file}:\n{error}") from None
        for line in changes.lines or ["Nothing to change."]:
            self.stdout.write(line)
        self.stdout.write(f"This is revision {revision()}.")
