from pathlib import Path

import pytest

from luthien_site.proofs.outage import run
from luthien_site.proofs.registry import Order


@pytest.mark.usefixtures("forked_children")
def test_outages_of_each_kind_cost_no_call_and_no_record(tmp_path: Path) -> None:
    said: list[str] = []
    finding = run(Order(tmp_path / "outage", 3, True, said.append), seconds=3.0)
    assert finding.violations == []
    for mode in ("blocking", "async"):
        assert finding.counts[f"bytes in the journal at most ({mode})"] > 0
        assert finding.counts[f"answers received whole ({mode})"] > 20
    assert len(said) == 3
