from __future__ import annotations

from pathlib import Path

import pytest

from luthien_site.bench.processes import DidNotStart
from luthien_site.proofs import million
from luthien_site.proofs.million import MILLION, finding, run
from luthien_site.proofs.questions import is_scan
from luthien_site.proofs.registry import Order

ANSWER = {"name": "a list", "ms": 400.0, "most_ms": 300, "queries": 4, "most_queries": 3, "scans": ["SCAN x"]}


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_no_page_of_calls_reads_a_table_from_end_to_end(database: str, tmp_path: Path) -> None:
    found = run(Order(tmp_path / "million", 1, database == "postgres", lambda line: None))
    assert found.violations == []
    assert found.counts["calls"] == 1000


def test_what_is_too_slow_too_many_or_read_whole_is_told() -> None:
    assert finding(1000, [ANSWER]).violations == ["a list: SCAN x", "a list: 4 queries of the record"]
    assert finding(MILLION, [ANSWER]).violations[2:] == ["a list: 400 ms, and 300 are allowed"]
    assert finding(MILLION, [ANSWER | {"ms": 1.0, "queries": 3, "scans": []}]).violations == []


def test_a_record_that_cannot_be_made_is_no_proof() -> None:
    with pytest.raises(DidNotStart, match="failed"):
        million._run(["manage.py", "seed_calls", "none"], {"LUTHIEN_DATA_DIR": "/dev/null"})


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
