"""What waits on disk for the database: this process's journal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import structlog

from observability import metrics
from observability.rows.database import Database, DatabaseRefused
from observability.rows.statements import Statement, merged

from . import superseded
from .journal import SUFFIX, Frame, Journal, NotKept

log = structlog.get_logger(__name__)

AT_ONCE = 400
"""Entries that go into the database together, about as many as it takes in a few tens of milliseconds."""


class Spill:
    """`waiting` entries are on disk alone. One thread keeps while one, or the same, drains; the rest is the first's.

    `folder` is shared by the processes of this machine; without one, or where it cannot be used, nothing is kept.
    """

    def __init__(self, folder: Path | None = None, limit: int = 0) -> None:
        self.folder = folder
        self._limit = limit
        self._journal: Journal | None = None
        self._position = 0
        # Each number is written by one side only, so no lock is needed.
        self._kept = self._drained = 0
        self._refusing = False

    def begin(self, boot_id: str) -> None:
        """Keep what the process of that name has to say; what waits of another one is left as if that had died."""
        self.close()
        self._position = self._kept = self._drained = 0
        if self.folder is None or not self._limit:
            return
        try:
            self._journal = Journal(self.folder / f"{boot_id}{SUFFIX}", self._limit)
        except OSError as error:
            log.critical("there is no journal; with the database away records wait in memory", error=error.strerror)

    @property
    def waiting(self) -> int:
        return self._kept - self._drained

    @property
    def is_full(self) -> bool:
        return self._journal is None or self._journal.is_full

    def keep(self, transactions: list[list[Statement]], entries: int) -> bool:
        """Whether `transactions` are on disk now, durable, and wait to be drained."""
        if self._journal is None:
            return False
        try:
            self._journal.append(transactions, entries)
        except NotKept as reason:
            if not self._refusing:
                log.critical("the journal takes nothing", reason=str(reason))
            self._refusing = True
            return False
        self._refusing = False
        self._kept += entries
        metrics.spill_bytes.set(self._journal.size)
        return True

    def all_written(self) -> None:
        """The database has everything that was kept: begin anew."""
        if self._journal is not None and self._journal.is_used:
            self._journal.begin_anew()
            self._position = self._kept = self._drained = 0
            metrics.spill_bytes.set(0)

    def drain(self, database: Database, seconds: float) -> None:
        """Write what waits, in order, for about that long. Raises DatabaseAway."""
        if self._journal is None:
            return
        until = time.monotonic() + seconds
        for group in groups(self._journal.frames(self._position)):
            write(database, group)
            self._position = group[-1].end
            self._drained += sum(frame.entries for frame in group)
            if time.monotonic() > until:
                return

    def close(self) -> None:
        """Leave what waits to whoever finds it."""
        journal, self._journal = self._journal, None
        if journal is not None:
            if self.waiting:
                log.warning("records wait on disk for the database", entries=self.waiting)
            journal.close()


def groups(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    """Frames to be written together."""
    group: list[Frame] = []
    for frame in frames:
        group.append(frame)
        if sum(each.entries for each in group) >= AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def write(database: Database, group: list[Frame]) -> None:
    """All of it, or row by row what the database takes of it. Raises DatabaseAway."""
    transactions = [statements for frame in group for statements in frame.transactions]
    together = merged(transactions)
    try:
        for statements in transactions if together is None else [together]:
            superseded.excuse(database, statements, database.write(statements))
    except DatabaseRefused:
        for sql, row in [(sql, row) for statements in transactions for sql, rows in statements for row in rows]:
            try:
                superseded.excuse(database, [(sql, [row])], database.write([(sql, [row])]))
            except DatabaseRefused as error:
                log.critical("the database refuses a row of the record", error=str(error))
                metrics.records_lost.inc()
