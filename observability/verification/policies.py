"""Policies, their versions and activations against what the audit events vouch for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from observability.rows.chain import ACTIVATION_FIELDS, POLICY_FIELDS, VERSION_FIELDS, row_leaf

from .snapshot import Snapshot
from .walk import Finding

TABLES = {"policy": POLICY_FIELDS, "policyversion": VERSION_FIELDS, "activation": ACTIVATION_FIELDS}
TIMES = ("created_at", "ended_at")
FLAGS = ("redacted",)
JSON = ("config", "scope")
_NAMES = {"policy": "policy", "policyversion": "policy version", "activation": "activation"}


def verify(
    snapshot: Snapshot, vouched: Mapping[str, tuple[bytes, datetime]], report: Callable[[Finding], None]
) -> dict[str, int]:
    """Report rows that were edited, put in or taken out; returns how many there are of each table."""
    counts = dict.fromkeys(TABLES, 0)
    missing = dict(vouched)
    for table, fields in TABLES.items():
        columns = ("id", *fields)
        chosen = {"times": [name for name in TIMES if name in fields], "flags": [f for f in FLAGS if f in fields]}
        for page in snapshot.table(f"policies_{table}", columns, "id", **chosen):
            for row in page:
                counts[table] += 1
                id, created_at = row.pop("id"), row["created_at"]
                known = missing.pop(f"{table}:{id}", None)
                for name in JSON:
                    if isinstance(row.get(name), str):
                        row[name] = json.loads(row[name])
                if known is None:
                    report(Finding(f"{_NAMES[table]} {id}: was put in, no audit event knows of it", created_at))
                elif known[0] != row_leaf(table, id, row):
                    report(Finding(f"{_NAMES[table]} {id}: was edited", known[1]))
    for name, (_, at) in missing.items():
        table, _, id = name.partition(":")
        report(Finding(f"{_NAMES.get(table, table)} {id}: is gone", at))
    return counts
