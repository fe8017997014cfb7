from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from luthien_site.bench.processes import DidNotStart
from luthien_site.proofs import million
from luthien_site.proofs.million import MILLION, finding, run
from luthien_site.proofs.questions import is_scan
from luthien_site.proofs.registry import Order

ANSWER = {"name": "a list", "ms": 400.0, "most_ms": 300, "queries": 4, "most_queries": 3, "scans": ["SCAN x"]}
FILLED = {"calls": 5, "tables": million._tables()}


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_no_page_of_calls_reads_a_table_from_end_to_end(database: str, tmp_path: Path) -> None:
    found = run(Order(tmp_path / "million", 20, database == "postgres", lambda line: None))
    assert found.violations == []
    assert found.counts["calls"] == 20_000


def test_what_is_too_slow_too_many_or_read_whole_is_told() -> None:
    assert finding(1000, [ANSWER]).violations == ["a list: SCAN x", "a list: 4 queries of the record"]
    assert finding(MILLION, [ANSWER]).violations[2:] == ["a list: 400 ms, and 300 are allowed"]
    assert finding(MILLION, [ANSWER | {"ms": 1.0, "queries": 3, "scans": []}]).violations == []


def test_a_record_that_cannot_be_made_is_no_proof() -> None:
    with pytest.raises(DidNotStart, match="failed"):
        million._run(["manage.py", "seed_calls", "none"], {"LUTHIEN_DATA_DIR": "/dev/null"}, lambda line: None)


def test_a_database_that_is_kept_is_filled_once_and_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[str] = []
    assert list(million._filling(MILLION)) == [["manage.py", "seed_calls", "1000000"]]

    def run_it(command: list[str], environment: dict[str, str], say: Callable[[str], None]) -> str:
        commands.append(command[1])
        return "[]"

    monkeypatch.setattr(million, "_run", run_it)
    order = Order(tmp_path / "unused", 5, False, lambda line: None, keep=tmp_path / "kept")
    assert run(order).counts == {"calls": 5000}
    assert run(replace(order, rounds=7)).counts == {"calls": 5000}
    asking = "luthien_site.proofs.questions"
    assert commands == ["migrate", "seed_calls", "luthien_site.proofs.copies", asking, asking]
    assert not order.folder.exists()


@pytest.mark.parametrize(
    ("note", "reason"), [(None, "was filled to the end"), (FILLED | {"tables": "others"}, "tables of another version")]
)
def test_a_database_of_which_nothing_is_known_is_not_asked(
    note: dict[str, object] | None, reason: str, tmp_path: Path
) -> None:
    if note is not None:
        (tmp_path / million.NOTE).write_text(json.dumps(note))
    with pytest.raises(DidNotStart, match=reason):
        run(Order(tmp_path / "unused", 5, False, lambda line: None, keep=tmp_path))


@pytest.mark.parametrize(
    ("step", "whole"),
    [
        ("Seq Scan on observability_callrecord  (cost=0.00..1)", True),
        ("SCAN observability_callrecord", True),
        ("SCAN observability_callrecord USING INDEX call_newest", False),
        ("SCAN search VIRTUAL TABLE INDEX 64:M2", False),
        ("SEARCH entry USING INTEGER PRIMARY KEY (rowid=?)", False),
        ("Index Scan using call_newest on observability_callrecord", False),
    ],
)
def test_a_plan_is_read(step: str, whole: bool) -> None:
    assert is_scan(step) is whole
    assert not is_scan("SCAN newest", ["CO-ROUTINE newest", "SCAN newest"])
