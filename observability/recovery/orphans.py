"""Calls whose process died: to be closed as interrupted, by whichever process finds them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import QuerySet

from observability.models import CallRecord, Process
from observability.queries import with_outcome
from observability.rows.batch import Batch
from observability.rows.chain import BLOCK_FIELDS, DECISION_FIELDS, JSON_FIELDS
from observability.rows.database import Database, DatabaseAway
from observability.rows.entries import commitments
from observability.rows.process import Ownership
from observability.text import json_text

LIFELESS = 20.0
"""Seconds in which a process that lives has beaten, however slow its database is to come back."""
AT_ONCE = 50

_END = "UPDATE observability_process SET ended_at = ? WHERE boot_id = ? AND ended_at IS NULL AND heartbeat_at = ?"


@dataclass(frozen=True, slots=True)
class Orphan:
    """An open call without a process: its row as text and values, its blocks and decisions in order."""

    row: dict[str, Any]
    blocks: Sequence[dict[str, Any]]
    decisions: Sequence[dict[str, Any]]

    def add_to(self, batch: Batch) -> None:
        """Close it."""
        row = self.row | {"closed_at": datetime.now(UTC)}
        row["commitments"] = commitments(row, self.decisions)
        batch.close_call(row, self.blocks, self.decisions)


class Orphans:
    """Looks for dead processes that own open calls. `is_awaited` says of whom a journal is still to be brought home."""

    def __init__(self, database: Database, ownership: Ownership, is_awaited: Callable[[str], bool]) -> None:
        self._database = database
        self._ownership = ownership
        self._is_awaited = is_awaited
        self._seen: dict[str, tuple[datetime, float]] = {}

    def find(self) -> Iterator[list[Orphan]]:
        """Their calls, some at once. Raises DatabaseAway."""
        try:
            for owner in self._dead_owners():
                yield from self._calls_of(owner)
        except DatabaseError as error:
            raise DatabaseAway(type(error).__name__) from error
        finally:
            connection.close()

    def _dead_owners(self) -> list[str]:
        owners = set(_open_calls().order_by().values_list("process", flat=True).distinct())
        owners.discard(self._ownership.boot_id)
        known = Process.objects.in_bulk(owners)
        self._seen = {name: seen for name, seen in self._seen.items() if name in owners}
        return [owner for owner in owners if not self._is_awaited(owner) and self._is_dead(known.get(owner))]

    def _is_dead(self, process: Process | None) -> bool:
        """Whether its calls may be closed; a process whose row still beats is declared dead first, or not at all."""
        if process is None or process.ended_at is not None:
            return True
        gone = process.host == self._ownership.host and not _alive(process.pid)
        if not (gone or self._is_silent(process)):
            return False
        seen = self._database.time(process.heartbeat_at)
        now = self._database.time(datetime.now(UTC))
        return self._database.write([(_END, [(now, process.boot_id, seen)])]) == 1

    def _is_silent(self, process: Process) -> bool:
        """Whether it has not beaten while we looked on: what its clock or ours says means nothing."""
        now = time.monotonic()
        beat, since = self._seen.get(process.boot_id, (None, now))
        # After an outage nobody has beaten. Whoever has not itself beaten for a while cannot tell who is dead.
        if beat != process.heartbeat_at or self._ownership.age < LIFELESS:
            since = now
        self._seen[process.boot_id] = (process.heartbeat_at, since)
        return now - since > LIFELESS

    def _calls_of(self, owner: str) -> Iterator[list[Orphan]]:
        last = ""
        while calls := list(_open_calls().filter(process=owner, pk__gt=last).order_by("pk")[:AT_ONCE]):
            last = calls[-1].pk
            yield [_orphan(call) for call in calls]


def _open_calls() -> QuerySet[CallRecord]:
    return with_outcome(CallRecord.objects.all(), "open")


def _orphan(call: CallRecord) -> Orphan:
    row: dict[str, Any] = {field.attname: getattr(call, field.attname) for field in CallRecord._meta.concrete_fields}
    row |= {
        "outcome": "interrupted",
        "error_kind": "interrupted",
        "error_message": "The gateway process that served this call ended before the call did.",
    }
    for name, value in row.items():
        if isinstance(value, memoryview):
            row[name] = bytes(value)
    row |= {name: json_text(row[name]) for name in JSON_FIELDS}
    blocks = list(call.blocks.order_by("position").values(*BLOCK_FIELDS))
    decisions = list(call.decisions.order_by("position").values(*DECISION_FIELDS))
    return Orphan(row, blocks, decisions)


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return False  # the number is ours now, so the process that had it is gone
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
