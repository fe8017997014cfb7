from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from luthien_site import bootstrap

COMPILE = [
    *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-emit-find-links", "--no-header"),
]


class Command(BaseCommand):
    help = "Compiles requirements/*.in to the hashed locks; --upgrade takes the newest versions."
    requires_system_checks = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--upgrade", action="store_true")

    def handle(self, *, upgrade: bool, **options: Any) -> None:
        place = bootstrap.Place(settings.BASE_DIR)
        place.cache.mkdir(exist_ok=True)
        try:
            uv = bootstrap.fetch_uv(place)
            if uv is None:
                raise CommandError("Locks are compiled by uv, which is not to be had for this machine.")
            for name in ("uv", "base", "dev"):
                self.stderr.write(f"Compiling requirements/{name}.txt ...")
                # The tests' lock is a superset: it may not move a version of what we ship.
                constraint: list[str | Path] = ["--constraint", place.lock("base")] if name == "dev" else []
                upgrades = ["--upgrade"] if upgrade else []
                source = place.lock(name).with_suffix(".in")
                bootstrap.run(place, uv, *COMPILE, *upgrades, *constraint, source, "--output-file", place.lock(name))
        except bootstrap.InstallError as error:
            raise CommandError(str(error)) from None
