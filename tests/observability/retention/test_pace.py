"""Whoever deletes does it in small transactions, and looks for what to delete outside of them: counted, not timed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import zstandard
from django.db import connection
from django.utils import timezone

from observability import audit
from observability.bodies.recipes import Part, encode
from observability.models import AuditEvent, Blob, BlobReference, CallRecord
from observability.recording.writer import Writer
from observability.retention import collector, erasure, pace, purge
from tests.observability.retention.conftest import MUCH_LATER
from tests.observability.retention.test_collector import LONG_AGO

pytestmark = pytest.mark.django_db(transaction=True)


SEARCH = re.compile('SELECT .* FROM "observability_(blob|callrecord|auditevent|decision)"')


class Watch:
    """Counts the rows that each transaction deletes; `steps` are these counts beside what the pace allowed.

    `searches` are the statements that looked for rows, other than by their keys, in a transaction.
    """

    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []
        self.pace = pace.Pace(clock=lambda: 0.0, sleep=self._noted)
        self.searches: list[str] = []
        self._limit, self._rows = self.pace.limit, 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("DELETE"):
            self._rows += context["cursor"].rowcount
        if connection.in_atomic_block and SEARCH.match(sql) and " IN (" not in sql:
            self.searches.append(sql)
        return result

    def _noted(self, _: float) -> None:
        self.steps.append((self._rows, self._limit))
        self._limit, self._rows = self.pace.limit, 0


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, most: int) -> Iterator[Watch]:
    monkeypatch.setattr(pace, "FIRST", most)
    monkeypatch.setattr(pace, "MOST", most)
    watch = Watch()
    with connection.execute_wrapper(watch):
        yield watch


def store(name: bytes, parts: list[bytes] | None = None) -> None:
    """A body that nobody needs: bytes of its own, or a recipe of `parts`."""
    recipe = encode([Part(part, 0, 0) for part in parts or ()])
    Blob.objects.create(
        digest=name, recipe=parts is not None, data=zstandard.compress(recipe), size=0, touched_at=LONG_AGO
    )
    BlobReference.objects.bulk_create(BlobReference(target=part, source=name) for part in parts or ())


def test_no_step_of_the_collection_deletes_more_rows_than_its_pace_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [b"part%028d" % number for number in range(60)]
    for part in parts:
        store(part)
    for number in range(8):
        store(b"body%028d" % number, parts[number * 5 : number * 5 + 5])
    store(b"large".ljust(32), parts[40:])
    monkeypatch.setattr(collector, "PAGE", 7)
    with watched(monkeypatch, most=9) as watch:
        assert sum(collector.collect(pace=watch.pace)) == 69
    assert not Blob.objects.exists() and not BlobReference.objects.exists()
    assert [rows for rows, limit in watch.steps if rows > limit] == [21], "the large one goes whole, and alone"
    assert 9 in [rows for rows, _ in watch.steps]


def test_no_step_of_a_purge_deletes_more_calls_or_events_than_its_pace_allows(
    recorded: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(6):
        audit.record(actor="ada", action="key.revoked", subject="ci")
    events = AuditEvent.objects.filter(commits={}).count()
    with watched(monkeypatch, most=2) as watch:
        gone = list(purge.purge(timezone.now() + timedelta(days=731), pace=watch.pace))
    assert sum(gone) == 5 + events
    assert max(gone) == 2


def test_no_step_of_an_erasure_takes_more_calls_than_its_pace_allows_or_looks_for_them(
    recorded: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched(monkeypatch, most=2) as watch:
        gone = list(erasure.erase(erasure.Subject("key", "ci"), actor="ada", pace=watch.pace))
    assert (sum(gone), max(gone)) == (5, 2)
    assert not CallRecord.objects.exclude(nonces=b"").exclude(pk="call_open").exists()
    assert [sql for sql in watch.searches if "observability_blob" not in sql] == [], "bodies it looks at one by one"


@pytest.mark.parametrize(("took", "limit"), [(0.04, pace.FEWEST), (0.06, 1)])
def test_a_pace_slows_down_where_transactions_are_slow_and_never_stands_still(took: float, limit: int) -> None:
    clock = count(step=took)
    slow = pace.Pace(clock=lambda: next(clock), sleep=lambda _: None)
    for _ in range(6):
        with slow.step():
            pass
    assert slow.limit == limit
    assert slow.longest == pytest.approx(took)


def test_behind_a_step_others_get_as_much_time_as_it_took() -> None:
    times, slept = iter([0.0, 0.001, 1.0, 1.5]), list[float]()
    timed = pace.Pace(clock=lambda: next(times), sleep=slept.append)
    for _ in range(2):
        with timed.step():
            pass
    assert slept == [0.001, pace.TARGET_SECONDS]


def test_nothing_is_looked_for_while_a_transaction_keeps_calls_waiting(
    recorded: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched(monkeypatch, most=3) as watch:
        list(purge.purge(MUCH_LATER, pace=watch.pace))
        list(collector.collect(MUCH_LATER, pace=watch.pace))
    assert not CallRecord.objects.exclude(pk="call_open").exists() and not Blob.objects.exists()
    assert watch.searches == []
