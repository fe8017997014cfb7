"""Calls whose process died: closed as interrupted, by whichever process finds them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import QuerySet

from .batch import Batch
from .chain import BLOCK_FIELDS, DECISION_FIELDS, JSON_FIELDS
from .database import Database, DatabaseAway
from .entries import commitments
from .models import CallRecord, Process
from .process import Ownership
from .queries import with_outcome
from .text import json_text

LIFELESS = timedelta(seconds=10)
SEARCH_SECONDS = 10.0
AT_ONCE = 50

_END = "UPDATE observability_process SET ended_at = ? WHERE boot_id = ? AND ended_at IS NULL AND heartbeat_at = ?"


class Orphans:
    """Looks for dead processes that own open calls: once at the start, then every SEARCH_SECONDS."""

    def __init__(self, database: Database, ownership: Ownership) -> None:
        self._database = database
        self._ownership = ownership
        self._due = 0.0

    def find(self, make_batch: Callable[[], Batch]) -> Iterator[Batch]:
        """Batches that close them, to be committed one by one. Raises DatabaseAway."""
        if time.monotonic() < self._due:
            return
        try:
            for owner in self._dead_owners():
                yield from self._close_all(owner, make_batch)
        except DatabaseError as error:
            raise DatabaseAway(type(error).__name__) from error
        finally:
            connection.close()
        self._due = time.monotonic() + SEARCH_SECONDS

    def _dead_owners(self) -> list[str]:
        mine = self._ownership.boot_id
        owners = set(_open_calls().order_by().values_list("process", flat=True).distinct())
        known = Process.objects.in_bulk(owners)
        return [owner for owner in owners - {mine} if self._is_dead(known.get(owner))]

    def _is_dead(self, process: Process | None) -> bool:
        """Whether its calls may be closed; a process whose row still beats is declared dead first, or not at all."""
        if process is None or process.ended_at is not None:
            return True
        gone = process.host == self._ownership.host and not _alive(process.pid)
        now = datetime.now(UTC)
        # After an outage all heartbeats are old. Whoever has not itself beaten for a while cannot tell who is dead.
        silent = now - process.heartbeat_at > LIFELESS and self._ownership.age > LIFELESS.total_seconds()
        if not (gone or silent):
            return False
        seen = self._database.time(process.heartbeat_at)
        return self._database.write([(_END, [(self._database.time(now), process.boot_id, seen)])]) == 1

    def _close_all(self, owner: str, make_batch: Callable[[], Batch]) -> Iterator[Batch]:
        while True:
            calls = list(_open_calls().filter(process=owner).order_by("started_at")[:AT_ONCE])
            if not calls:
                return
            batch = make_batch()
            for call in calls:
                _interrupt(call, batch)
            yield batch


def _open_calls() -> QuerySet[CallRecord]:
    return with_outcome(CallRecord.objects.all(), "open")


def _interrupt(call: CallRecord, batch: Batch) -> None:
    row: dict[str, Any] = {field.attname: getattr(call, field.attname) for field in CallRecord._meta.concrete_fields}
    row |= {
        "outcome": "interrupted",
        "closed_at": datetime.now(UTC),
        "error_kind": "interrupted",
        "error_message": "The gateway process that served this call ended before the call did.",
    }
    for name, value in row.items():
        if isinstance(value, memoryview):
            row[name] = bytes(value)
    row |= {name: json_text(row[name]) for name in JSON_FIELDS}
    blocks = list(call.blocks.order_by("position").values(*BLOCK_FIELDS))
    decisions = list(call.decisions.order_by("position").values(*DECISION_FIELDS))
    row["commitments"] = commitments(row, decisions)
    batch.close_call(row, blocks, decisions)


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return False  # the number is ours now, so the process that had it is gone
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
