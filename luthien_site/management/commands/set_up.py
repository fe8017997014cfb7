from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from luthien_site import first_start


class Command(BaseCommand):
    help = "Migrates and makes what the first start needs, as `up` does, but serves nothing."

    def handle(self, **options: Any) -> None:
        self.stdout.write(first_start.prepare(str(settings.LUTHIEN_URL)))
