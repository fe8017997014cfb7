"""docs/audit.md names what the chain covers, and nothing else, and every action of an audit event."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
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
KINDS = (
    "backtest|call|endpoint|group|hold|job|key|policy|provider|record|report|retention|review|route|session|team|user"
)
ACTION = re.compile(rf"(?:{KINDS})\.(?!jsonl|html)[a-z_]+")


@pytest.mark.parametrize("rows", COVERED)
def test_the_document_names_the_columns_that_are_covered(rows: str) -> None:
    (line,) = re.findall(rf"^\| {re.escape(rows)} \| (.+) \|$", DOCUMENT, re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", line)) == COVERED[rows]


def actions() -> Iterator[str]:
    """What our code calls audit events, where it is written out."""
    root = Path(__file__).parents[3]
    for package in ("policies", "observability", "gateway", "luthien_site"):
        for path in (root / package).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
            yield from (text for text in texts if isinstance(text, str) and ACTION.fullmatch(text))


def test_every_action_of_an_audit_event_is_documented() -> None:
    section = DOCUMENT.partition("## Audit events")[2]
    named = set(re.findall(r"`(\w+\.(?:\w+|\*))`", section))
    found = set(actions())
    assert {"record.purged", "job.cancelled", "report.asked"} <= found
    assert {each for each in found if not {each, f"{each.partition('.')[0]}.*"} & named} == set()
