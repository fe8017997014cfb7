import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

CHECKS = (
    ("Lint", ("ruff", "check", "--quiet")),
    ("Format", ("ruff", "format", "--check", "--quiet")),
    ("Types", ("mypy", "--no-error-summary")),
    ("Imports", ("lint-imports", "--no-logo")),
)


class Command(BaseCommand):
    help = "Checks lint, format, types and import contracts; runs them all, and fails if any does."
    requires_system_checks = []

    def handle(self, **options: Any) -> None:
        failed = [name for name, command in CHECKS if not self.passes(name, *command)]
        if failed:
            self.stderr.write(f"Failed: {', '.join(failed)}.")
            sys.exit(1)
        self.stdout.write("All checks passed.")

    def passes(self, name: str, program: str, *arguments: str) -> bool:
        self.stdout.write(f"{name} ...")
        self.stdout.flush()
        path = Path(sys.executable).parent / program
        return subprocess.run([path, *arguments], cwd=settings.BASE_DIR).returncode == 0
