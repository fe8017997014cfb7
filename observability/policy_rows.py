"""What the audit events of policy changes commit to: the policies, versions and activations as they then stood."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Model

from policies.models import Activation, Policy, PolicyVersion

from .rows.chain import ACTIVATION_FIELDS, POLICY_FIELDS, VERSION_FIELDS, row_leaf

TABLES: dict[str, tuple[type[Model], tuple[str, ...]]] = {
    "policy": (Policy, POLICY_FIELDS),
    "policyversion": (PolicyVersion, VERSION_FIELDS),
    "activation": (Activation, ACTIVATION_FIELDS),
}


def commitments(rows: Iterable[Model]) -> dict[str, Any]:
    """The `commits` of an event that changed `rows`: {"rows": {"activation:7": leaf in hex}}, empty without rows."""
    said = {}
    for row in rows:
        table = row._meta.model_name or ""
        for name, leaf in leaves(table, row.pk):
            said[name] = leaf.hex()
    return {"rows": said} if said else {}


def leaves(table: str, id: int | None = None) -> Iterator[tuple[str, bytes]]:
    """The leaves of a table's rows as the database has them, or of the one row, each with its name."""
    model, fields = TABLES[table]
    found = model._base_manager.all() if id is None else model._base_manager.filter(pk=id)
    for row in found.order_by("pk").values("pk", *fields).iterator():
        pk = row.pop("pk")
        yield f"{table}:{pk}", row_leaf(table, pk, row)
