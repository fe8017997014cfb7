from pathlib import Path

import pytest

from luthien_site.proofs.crash import run
from luthien_site.proofs.registry import Order


@pytest.mark.usefixtures("forked_children")
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_twenty_kills_leave_nothing_off_the_record(database: str, tmp_path: Path) -> None:
    finding = run(Order(tmp_path / "crash", 20, database == "postgres", lambda line: None))
    assert finding.violations == []
    assert finding.counts["kills"] == 20
    assert finding.counts["answers received whole"] > 0
    assert finding.counts["tool calls received whole"] > 0
    assert finding.counts["on record as interrupted"] > 0
