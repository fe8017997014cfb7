import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from observability.seeding.seeding import seed


class Command(BaseCommand):
    help = "Puts made-up calls on record, over six weeks, teams, models and agents, to look at and to measure."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", metavar="N", type=int, help="how many calls")
        parser.add_argument("--seed", type=int, default=1, help="another number makes other calls")

    def handle(self, *, number: int, **options: Any) -> None:
        if number < 1:
            raise CommandError("N has to be 1 or more.")
        began = told = time.monotonic()
        for done in seed(number, seed=options["seed"]):
            if time.monotonic() - told > 5:
                told = time.monotonic()
                self.stderr.write(f"{done:,} of {number:,}, {done / (told - began):,.0f} a second")
        self.stdout.write(f"{number:,} calls in {time.monotonic() - began:.1f} s.")
