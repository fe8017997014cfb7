import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from luthien_site.bench import scenarios
from luthien_site.bench.client import CallFailed
from luthien_site.bench.processes import DidNotStart
from luthien_site.bench.run import Plan, run
from luthien_site.bench.variants import ANY_DIALECT


class Command(BaseCommand):
    help = "Measures the gateway beside the direct connection and LiteLLM's proxy; docs/performance.md explains it."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only", metavar="NAME", action="append", help="one scenario, such as paced; may be given more than once"
        )
        parser.add_argument("--rounds", type=int, default=3, help="rounds of which the median counts (3)")
        parser.add_argument("--seconds", type=float, default=5.0, help="how long each measurement takes (5)")
        parser.add_argument("--quick", action="store_true", help="one short round of little load")
        parser.add_argument("--without-peers", action="store_true", help="leave LiteLLM's proxy out")
        parser.add_argument("--db", choices=("sqlite", "postgres"), default="sqlite", help="where calls are recorded")
        parser.add_argument("--record", choices=("blocking", "async", "off"), default="blocking")
        parser.add_argument("--dialect", choices=("openai", "anthropic"), default="openai")
        parser.add_argument("--json", metavar="FILE", type=Path, help="write every round's figures to FILE")

    def handle(self, *, only: list[str] | None, json: Path | None, quick: bool, **options: Any) -> None:
        chosen = scenarios.quick() if quick else scenarios.full(options["seconds"])
        if options["dialect"] != "openai":
            chosen = [scenario for scenario in chosen if scenario.way in ANY_DIALECT]
        names = [scenario.name for scenario in chosen]
        if unknown := [name for name in only or () if name not in names]:
            raise CommandError(f"There is no scenario {unknown[0]}; there are {', '.join(names)}.")
        plan = Plan(
            folder=settings.LUTHIEN_DATA_DIR / "bench",
            scenarios=[scenario for scenario in chosen if only is None or scenario.name in only],
            rounds=1 if quick else options["rounds"],
            dialect=options["dialect"],
            postgres=options["db"] == "postgres",
            record=options["record"],
            peers=not options["without_peers"],
        )
        try:
            results = run(plan, self.stderr.write)
        except (DidNotStart, CallFailed) as failure:
            raise CommandError(str(failure)) from None
        if json:
            write_json(json, results.as_json())
        self.stdout.write(results.as_text())


def write_json(path: Path, figures: dict[str, Any]) -> None:
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
