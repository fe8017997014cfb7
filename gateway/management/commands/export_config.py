"""`manage.py export_config`."""

from typing import Any

from django.core.management.base import BaseCommand

from gateway.config_file import export


class Command(BaseCommand):
    help = "Prints providers, models, keys, policies and retention as a configuration file, without secrets."

    def handle(self, **options: Any) -> None:
        self.stdout.write(export(), ending="")
