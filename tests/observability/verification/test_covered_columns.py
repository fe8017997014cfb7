"""Every column that the chain covers, changed one by one in a recorded database: the verification finds each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, models
from django.utils import timezone

from observability.models import AuditEvent, Block, CallRecord, Decision, Seal
from observability.recording.writer import Writer
from observability.rows import chain
from observability.rows.statements import LINK_COLUMNS, PAYLOADS
from policies.models import Activation, Policy, PolicyVersion
from tests.observability.verification.conftest import Verify, rows

Rows = models.QuerySet[Any]
CHAINED = LINK_COLUMNS
COVERED: list[tuple[str, Callable[[], Rows], tuple[str, ...]]] = [
    ("call call_2", lambda: rows(CallRecord, pk="call_2"), (*chain.CALL_FIELDS, *PAYLOADS, "nonces", *CHAINED)),
    ("call call_2", lambda: rows(Block, call_id="call_2", position=1), (*chain.BLOCK_FIELDS, "arguments")),
    ("call_2", lambda: rows(Decision, call_id="call_2", position=1), (*chain.DECISION_FIELDS, *CHAINED)),
    ("call_late", lambda: rows(Decision, call_id="call_late"), (*chain.DECISION_FIELDS, *CHAINED)),
    ("audit event", lambda: rows(AuditEvent, subject="ci"), (*chain.AUDIT_FIELDS, *CHAINED)),
    ("policy ", lambda: rows(Policy, name="words"), chain.POLICY_FIELDS),
    ("policy version ", lambda: rows(PolicyVersion, number=2), chain.VERSION_FIELDS),
    ("activation ", lambda: rows(Activation, mode="shadow"), chain.ACTIVATION_FIELDS),
    ("activation ", lambda: rows(Activation, policy__name="ended"), ("ended_at",)),
    ("seal 2", lambda: rows(Seal, number=2), ("line",)),
]


def other(field: models.Field[Any, Any], value: Any) -> Any:
    """A value that the column takes and that is not `value`."""
    if field.related_model:
        return rows(field.related_model).exclude(pk=value).values_list("pk", flat=True).first()
    if field.choices:
        return next(choice for choice, _ in reversed(list(field.choices)) if choice != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, bytes | memoryview):
        return bytes(value)[:-1] + bytes((bytes(value)[-1] ^ 1,)) if len(value) else b"x"
    if isinstance(value, list | dict):
        return [*value, "x"] if isinstance(value, list) else {**value, "x": 1}
    if isinstance(value, str):
        return f"{value[:-1]}_" if isinstance(field, models.CharField) and value else f"{value}x"
    if isinstance(value, int | float):
        return value + 1
    kinds: dict[str, Any] = {"DateTimeField": timezone.now(), "BinaryField": b"x", "FloatField": 0.5, "JsonText": ["x"]}
    return kinds.get(type(field).__name__, 1)


def mutations(found: Rows, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Changes one column of the row at a time, and changes it back when it is asked for the next."""
    (before,) = found.values()
    keys = [row["pk"] for row in found.values("pk")]
    fields = {field.attname: field for field in found.model._meta.concrete_fields}
    for name in names:
        changed = other(fields[name], before[name])
        everything = rows(found.model, pk__in=keys)
        everything.update(**{name: changed})
        yield name, changed
        if name == "id":
            rows(found.model, pk=changed).update(id=before["id"])
        elif name == "position":
            key = {"call_id": before["call_id"], "position": changed}
            rows(found.model, **key).update(position=before["position"])
        else:
            everything.update(**{name: before[name]})


@pytest.mark.parametrize("place", range(len(COVERED)))
def test_every_covered_column_is_covered(recorded: Writer, verify: Verify, place: int) -> None:
    named, found, names = COVERED[place]
    unseen = []
    with connection.constraint_checks_disabled():
        for name, _ in mutations(found(), names):
            # A leaf that claims another place is missed in its own.
            said = "" if name in ("boot_id", "sequence") else named
            if not any(said in finding.what for finding in verify().findings):
                unseen.append(name)
    assert unseen == []
    assert verify().findings == []
