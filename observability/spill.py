"""What waits on disk for the database: this process's journal, and those of processes that died."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from . import metrics, superseded
from .chain import Mark
from .database import Database, DatabaseRefused
from .journal import SUFFIX, Abandoned, Frame, Journal, NotKept
from .process import PUBLISH
from .statements import Statement, links, merged

log = structlog.get_logger(__name__)

AT_ONCE = 400
"""Entries that go into the database together, about as many as it takes in a few tens of milliseconds."""


class Spill:
    """`waiting` entries are on disk alone. All methods are the writer's thread's.

    Raises OSError where the folder cannot be used.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._journal = Journal(folder / f"{secrets.token_hex(12)}{SUFFIX}", limit)
        self._position = 0
        self.waiting = 0

    @property
    def is_full(self) -> bool:
        return self._journal.is_full

    def keep(self, transactions: list[list[Statement]], entries: int) -> bool:
        """Whether `transactions` are on disk now, durable, and wait to be drained."""
        try:
            self._journal.append(transactions, entries)
        except NotKept as reason:
            log.error("the journal takes nothing", reason=str(reason))
            return False
        self.waiting += entries
        metrics.spill_bytes.set(self._journal.size)
        return True

    def all_written(self) -> None:
        """The database has everything that was kept: begin anew."""
        if self._journal.size:
            self._journal.begin_anew()
            self._position = self.waiting = 0
            metrics.spill_bytes.set(0)

    def drain(self, database: Database, seconds: float) -> None:
        """Write what waits, in order, for about that long. Raises DatabaseAway."""
        until = time.monotonic() + seconds
        for group in _groups(self._journal.frames(self._position)):
            _write(database, group)
            self._position = group[-1].end
            self.waiting -= sum(frame.entries for frame in group)
            if time.monotonic() > until:
                return
        self.waiting = 0

    def bring_home(self, database: Database) -> None:
        """Write what processes of this machine left behind when they died. Raises DatabaseAway."""
        for abandoned in Abandoned.all_in(self._folder):
            try:
                entries = 0
                for group in _groups(abandoned.frames()):
                    _write(database, group)
                    entries += sum(frame.entries for frame in group)
                    _publish(database, group)
            except BaseException:
                abandoned.release()
                raise
            abandoned.done()
            if entries:
                log.warning("the journal of a process that died is in the database now", entries=entries)

    def wipe(self) -> None:
        self._journal.wipe()

    def close(self) -> None:
        if self.waiting:
            log.warning("records wait on disk for the database", entries=self.waiting)
        self._journal.close()


class NoSpill:
    """Where there is no disk to write to, nothing is kept."""

    waiting = 0
    is_full = True

    def keep(self, transactions: list[list[Statement]], entries: int) -> bool:
        return False

    def all_written(self) -> None: ...

    def drain(self, database: Database, seconds: float) -> None: ...

    def bring_home(self, database: Database) -> None: ...

    def wipe(self) -> None: ...

    def close(self) -> None: ...


def _groups(frames: Iterator[Frame]) -> Iterator[list[Frame]]:
    group: list[Frame] = []
    for frame in frames:
        group.append(frame)
        if sum(each.entries for each in group) >= AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _write(database: Database, group: list[Frame]) -> None:
    """All of it, or row by row what the database takes of it."""
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


def _publish(database: Database, group: list[Frame]) -> None:
    """Tell the sealer how far the chains of the dead have come; it may have thought that they had ended before."""
    ends: dict[str, Mark] = {}
    written = (statement for frame in group for each in frame.transactions for statement in each)
    for boot_id, sequence, chain in links(written):
        ends[boot_id] = max(ends.get(boot_id, (0, b"")), (sequence, chain))
    if ends:
        database.write([(PUBLISH, [(boot_id, *mark, b"", True) for boot_id, mark in ends.items()])])
