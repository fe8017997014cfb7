"""Calls with verdicts, as they wait for review."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from observability.models import CallRecord, Decision
from observability.search import indexing
from tests.observability.test_queries import add
from tests.people import READS_CALLS, browser_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)
Judged = Callable[..., CallRecord]


def put(number: int, *verdicts: str, **fields: object) -> CallRecord:
    """A call `number` seconds after NOW with verdicts as `policy action`; the index knows it."""
    call = add(number, started_at=NOW + timedelta(seconds=number), outcome="finished", **fields)
    values = {"version": 3, "mode": "enforce", "hook": "on_text", "block": "text 0", "at_ms": 0, "took_ms": 0}
    for position, verdict in enumerate(verdicts):
        policy, action = verdict.split(" ")
        row = {"position": position, "policy": policy, "action": action, "reason": f"{policy} said so"}
        Decision.objects.create(call_id=call.pk, **values, **row)
    indexing.catch_up()
    return call


@pytest.fixture
def reviewer(db: None) -> Client:
    """A browser of somebody who may label the calls of all teams."""
    return browser_of("rita", *READS_CALLS, "add_review")
