"""docs/audit.md names what the chain covers, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from observability.rows import chain
from observability.rows.statements import PAYLOADS

DOCUMENT = (Path(__file__).parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")
COVERED = {
    "`observability_callrecord`": chain.CALL_FIELDS,
    "the same, through `commitments`": (*PAYLOADS, "nonces"),
    "`observability_block`": chain.BLOCK_FIELDS,
    "`observability_decision`": chain.DECISION_FIELDS,
    "`observability_auditevent`": chain.AUDIT_FIELDS,
    "`policies_policy`": chain.POLICY_FIELDS,
    "`policies_policyversion`": chain.VERSION_FIELDS,
    "`policies_activation`": chain.ACTIVATION_FIELDS,
}


@pytest.mark.parametrize("rows", COVERED)
def test_the_document_names_the_columns_that_are_covered(rows: str) -> None:
    (line,) = re.findall(rf"^\| {re.escape(rows)} \| (.+) \|$", DOCUMENT, re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", line)) == COVERED[rows]
