import os
import shutil
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from luthien_site.bench.processes import DidNotStart
from luthien_site.proofs.registry import Order, Proof, proofs


class Command(BaseCommand):
    help = "Runs the long proofs, all of them or the one that is named; ends red where one does not hold."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", metavar="NAME", help=", ".join(proofs()))
        parser.add_argument("--rounds", type=int, help="how often (each proof has a number of its own)")
        parser.add_argument("--db", choices=("sqlite", "postgres"), default="sqlite", help="where calls are recorded")
        parser.add_argument("--keep", type=Path, metavar="DIR", help="make the database there, or use what is there")

    def handle(self, *, name: str | None, rounds: int | None, db: str, keep: Path | None, **options: Any) -> None:
        known = proofs()
        if name is not None and name not in known:
            raise CommandError(f"There is no proof {name}; there are {', '.join(known)}.")
        wanted = [known[name]] if name else list(known.values())
        if keep and (others := [proof.name for proof in wanted if not proof.keeps]):
            raise CommandError(f"There is nothing to keep of {', '.join(others)}.")
        failed = [proof.name for proof in wanted if not self._run(proof, rounds, db, keep)]
        if failed:
            raise CommandError(f"Not proven: {', '.join(failed)}.")

    def _run(self, proof: Proof, rounds: int | None, db: str, keep: Path | None) -> bool:
        folder = settings.LUTHIEN_DATA_DIR / "proofs" / f"{proof.name}-{os.getpid()}"
        # Of a failed proof of another process that had this number.
        shutil.rmtree(folder, ignore_errors=True)
        began = time.monotonic()
        try:
            order = Order(folder, rounds or proof.rounds, db == "postgres", self.stderr.write, keep and keep.resolve())
            finding = proof.run(order)
        except DidNotStart as reason:
            raise CommandError(str(reason)) from None
        self.stdout.write(f"{proof.name} on {db}, {time.monotonic() - began:.0f} s: {proof.claim}")
        for what, number in finding.counts.items():
            self.stdout.write(f"  {number:>8}  {what}")
        for violation in finding.violations:
            self.stdout.write(f"  NOT SO: {violation}")
        if not finding.violations:
            shutil.rmtree(folder, ignore_errors=True)
            self.stdout.write("  It holds.")
        return not finding.violations
