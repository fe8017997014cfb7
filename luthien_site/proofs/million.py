"""Proof: with a million calls on record, lists, filters, searches and the page of a call come at once.

The database is made, filled and asked by processes of its own (questions.py). Less than a million calls prove the plans
alone: that no page reads a table from end to end, and how many queries it takes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from luthien_site.bench.postgres import Postgres
from luthien_site.bench.processes import DidNotStart
from luthien_site.proofs.registry import Finding, Order, Proof

ROOT = Path(__file__).resolve().parents[2]
CALLS_A_ROUND = 1_000
MILLION = 1_000_000
TIMED = 50_000
"""Fewer calls than these are looked at once."""


def run(order: Order) -> Finding:
    calls = order.rounds * CALLS_A_ROUND
    times = "20" if calls >= TIMED else "1"
    order.folder.mkdir(parents=True)
    with ExitStack() as stack:
        url = stack.enter_context(Postgres()).create("million") if order.postgres else ""
        environment = {**os.environ, "LUTHIEN_DATA_DIR": str(order.folder), "DATABASE_URL": url}
        for command in (["migrate", "-v0"], ["seed_calls", str(calls)]):
            order.say(" ".join(command))
            _run(["manage.py", *command], environment)
        answers = json.loads(_run(["-m", "luthien_site.proofs.questions", times], environment))
    return finding(calls, answers)


def finding(calls: int, answers: list[dict[str, Any]]) -> Finding:
    """What the answers of questions.py say of a record of that many calls."""
    counts = {"calls": calls}
    violations: list[str] = []
    for each in answers:
        name = each["name"]
        counts[f"ms at most for 19 of 20: {name}"] = round(each["ms"])
        violations += [f"{name}: {step}" for step in each["scans"]]
        if each["queries"] > each["most_queries"]:
            violations.append(f"{name}: {each['queries']} queries of the record")
        if calls >= MILLION and each["ms"] > each["most_ms"]:
            violations.append(f"{name}: {each['ms']:.0f} ms, and {each['most_ms']} are allowed")
    return Finding(counts, violations)


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DidNotStart(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    return done.stdout


PROOF = Proof("million", "With a million calls on record every page of them comes at once.", 1_000, run)
