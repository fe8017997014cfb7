"""Proof: with a million calls on record, lists, filters, searches and the page of a call come at once.

The database is made, filled and asked by processes of its own (questions.py). Less than a million calls prove the plans
alone: that no page reads a table from end to end, and how many queries it takes; of few calls most are copies
(copies.py). A database that is kept is asked again without being filled again.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from luthien_site.bench.postgres import Postgres
from luthien_site.bench.processes import DidNotStart
from luthien_site.proofs.registry import Finding, Order, Proof

ROOT = Path(__file__).resolve().parents[2]
CALLS_A_ROUND = 1_000
MILLION = 1_000_000
TIMED = 100_000
"""Fewer calls than these are looked at once, and COPIES of 25 are copied."""
COPIES = 24
TIMES = 40
NOTE = "filled.json"
"""What a kept database is: how many calls, and by which tables."""
# What is proven is how it is read. Seeding need not wait for the disk.
SETTINGS = ("synchronous_commit=off", "shared_buffers=1GB", "max_wal_size=4GB")


def run(order: Order) -> Finding:
    folder = order.keep or order.folder
    calls = _kept(folder) if folder.exists() else None
    folder.mkdir(parents=True, exist_ok=True)
    with _database(order) as url:
        environment = {**os.environ, "LUTHIEN_DATA_DIR": str(folder), "DATABASE_URL": url}
        if calls is None:
            calls = order.rounds * CALLS_A_ROUND
            for command in (["manage.py", "migrate", "-v0"], *_filling(calls)):
                order.say(" ".join(command))
                _run(command, environment, order.say)
            (folder / NOTE).write_text(json.dumps({"calls": calls, "tables": _tables()}))
        times = str(TIMES if calls >= TIMED else 0)
        order.say("milliseconds: the first time, the median, 19 of 20 at most; queries")
        answers = json.loads(_run(["-m", "luthien_site.proofs.questions", times], environment, order.say))
    return finding(calls, answers)


def finding(calls: int, answers: list[dict[str, Any]]) -> Finding:
    """What the answers of questions.py say of a record of that many calls."""
    counts = {"calls": calls}
    violations: list[str] = []
    for each in answers:
        name = each["name"]
        counts[f"ms, 19 of 20 at most: {name}"] = round(each["ms"])
        violations += [f"{name}: {step}" for step in each["scans"]]
        if each["queries"] > each["most_queries"]:
            violations.append(f"{name}: {each['queries']} queries of the record")
        if calls >= MILLION and each["ms"] > each["most_ms"]:
            violations.append(f"{name}: {each['ms']:.0f} ms, and {each['most_ms']} are allowed")
    return Finding(counts, violations)


def _filling(calls: int) -> Iterator[list[str]]:
    """The commands that put so many calls on record."""
    made = calls if calls >= TIMED else calls // (COPIES + 1)
    yield ["manage.py", "seed_calls", str(made)]
    if made < calls:
        yield ["-m", "luthien_site.proofs.copies", str(COPIES)]


def _kept(folder: Path) -> int:
    """How many calls the database in that folder holds. Raises DidNotStart where it cannot be used."""
    try:
        note = json.loads((folder / NOTE).read_text())
    except FileNotFoundError:
        raise DidNotStart(
            f"{folder} holds no database that was filled to the end. Remove it, or name another."
        ) from None
    if note["tables"] != _tables():
        raise DidNotStart(f"{folder} has the tables of another version: use that version, or make it anew.")
    return int(note["calls"])


def _tables() -> str:
    """Names the tables that this version makes."""
    migrations = sorted(ROOT.glob("*/migrations/*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in migrations)).hexdigest()


@contextmanager
def _database(order: Order) -> Iterator[str]:
    """The URL of the database, while it runs; empty for SQLite."""
    if not order.postgres:
        yield ""
        return
    with Postgres(order.keep and order.keep / "postgres", SETTINGS) as server:
        yield server.create("million")


def _run(command: list[str], environment: dict[str, str], say: Callable[[str], None]) -> str:
    """What it prints; what it says meanwhile is passed on. Raises DidNotStart where it fails."""
    with TemporaryFile("w+") as printed:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment, stdout=printed, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        told: list[str] = []
        for line in process.stderr:
            told.append(line)
            say(line.rstrip())
        if process.wait():
            raise DidNotStart(f"{' '.join(command)} failed: {''.join(told)[-2000:]}")
        printed.seek(0)
        return printed.read()


PROOF = Proof("million", "With a million calls on record every page of them comes at once.", 1_000, run, keeps=True)
