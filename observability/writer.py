"""The only code that writes call records: one thread a process, on a connection of its own.

It commits at once when idle and groups what arrives meanwhile; `async` waits a moment to group more. With the database
away it keeps what it prepared, in order and within bounds, and tries again; whoever waits is told after PATIENCE.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

import structlog

from . import metrics, superseded
from .batch import Batch
from .blobs import NewBlob, Shelf
from .chain import Chain, Mark
from .database import Database, DatabaseAway, DatabaseRefused, Statement
from .entries import Closing, Entry, Opening
from .inbox import Inbox, Queued
from .orphans import Orphans
from .process import HEARTBEAT_SECONDS, Ownership
from .waiting import RecordUnavailable, Waiter, settle

log = structlog.get_logger(__name__)

RecordMode = Literal["blocking", "async", "off"]
GROUPING_SECONDS = 0.05
"""How long `async` gathers; its promise is a commit within 100 ms."""
TRANSACTION_SECONDS = 0.025
"""What a transaction should take; it may never last over 50 ms, because readers and pages wait for it."""
FEWEST, MOST = 16, 1000
"""Bounds of the number of entries in a transaction, which follows from how long the last one took."""
GROUP_BYTES = 16 * 1024 * 1024
BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0)


@dataclass(slots=True)
class _Work:
    """What is committed together. `mark` is where the chain stood before it, `done` counts durable transactions."""

    queued: Sequence[Queued]
    transactions: list[list[Statement]]
    blobs: list[NewBlob]
    mark: Mark
    done: int = 0


class Writer:
    """`submit` may be called from any event loop; everything else happens in the thread."""

    def __init__(self, database: Database, mode: RecordMode, *, find_orphans: bool = True) -> None:
        self.mode = mode
        self._database = database
        self._ownership = Ownership(database)
        self._orphans = Orphans(database, self._ownership) if find_orphans else None
        self._inbox = Inbox()
        self._backlog: deque[_Work] = deque()
        self._shelf = Shelf()
        self._chain = Chain(self.boot_id)
        self._limit = FEWEST * 4
        self._failures = 0
        self._retry_at = 0.0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="record-writer", daemon=True)

    @property
    def boot_id(self) -> str:
        """The name of this process's claim on the calls that it opens, and of its chain."""
        return self._ownership.boot_id

    @property
    def healthy(self) -> bool:
        """Whether the last write went well, so that calls can be put on record."""
        return self.mode == "off" or self._failures == 0

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Write what is queued, as far as the database lets us within `timeout` seconds; False if that was not all."""
        self._stopping = True
        self._inbox.wake()
        self._thread.join(timeout)
        return not self._thread.is_alive() and not self._backlog

    def submit(self, entry: Entry) -> Waiter | None:
        """Queue an entry; in `blocking` the waiter tells when it is durable, or that it will not be.

        Raises RecordUnavailable where so much is waiting already that no call may begin.
        """
        if self.mode == "off":
            return None
        if isinstance(entry, Opening) and self._inbox.is_full:
            metrics.records_refused.inc()
            raise RecordUnavailable("too much waits for the database")
        waiter = Waiter() if self.mode == "blocking" else None
        self._inbox.put(entry, waiter)
        return waiter

    def _run(self) -> None:
        while True:
            try:
                if not self._step():
                    return
            except Exception:
                # Nobody else writes records, so this thread has to live on; what it was at stays in the backlog.
                log.exception("the record's writer failed")
                time.sleep(BACKOFF[-1])

    def _step(self) -> bool:
        """One round; False when the writer has stopped."""
        taken = self._take()
        if taken:
            self._backlog.append(self._prepare(taken))
        if time.monotonic() >= self._retry_at:
            self._flush()
        self._report()
        if self._stopping and self._inbox.is_empty and (self._failures or not self._backlog):
            self._leave()
            return False
        return True

    def _take(self) -> list[Queued]:
        idle = self.mode == "async" and not self._stopping and not self._backlog
        return self._inbox.take(self._pause(), self._limit, GROUP_BYTES, GROUPING_SECONDS if idle else 0.0)

    def _pause(self) -> float:
        if self._stopping:
            return 0.01
        if not self._backlog:
            return HEARTBEAT_SECONDS
        return max(self._retry_at - time.monotonic(), 0.001)

    def _prepare(self, queued: Sequence[Queued]) -> _Work:
        mark = self._chain.mark()
        batch = self._new_batch()
        for item in queued:
            if item.entry.process != self.boot_id:
                settle([item.waiter], RecordUnavailable("the record of this call was closed"))
                continue
            try:
                item.entry.add_to(batch)
            except Exception:
                log.critical("an entry of the record cannot be written", exc_info=True)
                metrics.records_lost.inc()
                settle([item.waiter], RecordUnavailable("the record cannot be written"))
        return _Work(queued, batch.transactions(), batch.blobs, mark)

    def _new_batch(self) -> Batch:
        return Batch(self._shelf, self._chain, self._database, datetime.now(UTC))

    def _flush(self) -> None:
        """Commit what is prepared, in order, until it is done or the database fails."""
        try:
            if not self._ownership.keep(self._head()):
                self._disown()
            self._commit_all()
            if self._orphans is not None:
                self._adopt(self._orphans)
            self._failures = 0
        except DatabaseAway as error:
            self._retry_at = time.monotonic() + BACKOFF[min(self._failures, len(BACKOFF) - 1)]
            self._failures += 1
            if self._failures in (1, 10):
                log.error("the database is away; records wait", error=str(error), waiting=self._inbox.waiting)

    def _head(self) -> Mark:
        """Where the chain stands in the database."""
        return self._backlog[0].mark if self._backlog else self._chain.mark()

    def _commit_all(self) -> None:
        while self._backlog:
            try:
                self._commit(self._backlog[0])
            except DatabaseRefused as error:
                self._refused(error)
            else:
                self._finish(self._backlog.popleft(), None)

    def _commit(self, work: _Work) -> None:
        began = time.perf_counter()
        while work.done < len(work.transactions):
            transaction = work.transactions[work.done]
            changed = self._database.write(transaction)
            superseded.excuse(self._database, transaction, changed)
            work.done += 1
        factor = 0.5 if time.perf_counter() - began > TRANSACTION_SECONDS else 1.25
        self._limit = int(min(max(self._limit * factor, FEWEST), MOST))

    def _refused(self, error: DatabaseRefused) -> None:
        """The database will never take the first work: find the entry at fault, lose that one loudly, keep the rest."""
        first, *others = self._backlog
        self._backlog.clear()
        self._chain.rewind(first.mark)
        for work in (first, *others):
            self._shelf.forget(work.blobs)
            for item in work.queued:
                if isinstance(item.entry, Opening | Closing):
                    item.entry.forget()
        if not first.queued:
            raise error
        if len(first.queued) == 1:
            log.critical("the database refuses a record", error=str(error))
            metrics.records_lost.inc()
            self._finish(first, RecordUnavailable("the database refuses the record"))
        else:
            self._backlog.extend(self._prepare([item]) for item in first.queued)
        self._backlog.extend(self._prepare(work.queued) for work in others)

    def _adopt(self, orphans: Orphans) -> None:
        mark = self._chain.mark()
        for batch in orphans.find(self._new_batch):
            # As work of our own, or a commit whose answer is lost would leave a gap in the chain.
            self._backlog.append(_Work((), batch.transactions(), batch.blobs, mark))
            self._commit_all()
            mark = self._chain.mark()

    def _disown(self) -> None:
        """Another process took us for dead and closed our calls: nothing of them may be released any more."""
        log.critical("this process was taken for dead; its open calls are closed as interrupted")
        while self._backlog:
            self._finish(self._backlog.popleft(), RecordUnavailable("the record of this call was closed"))
        self._shelf = Shelf()
        self._ownership.renew()
        self._chain = Chain(self.boot_id)
        self._ownership.keep(self._head())

    def _finish(self, work: _Work, error: Exception | None) -> None:
        settle([item.waiter for item in work.queued], error)
        self._inbox.done(work.queued)

    def _report(self) -> None:
        metrics.record_queue.set(self._inbox.waiting)
        oldest = next((work.queued[0].since for work in self._backlog if work.queued), None)
        metrics.record_lag.set(0.0 if oldest is None else time.monotonic() - oldest)

    def _leave(self) -> None:
        if self._backlog:
            log.critical("records could not be written before the end", entries=self._inbox.waiting)
        try:
            self._ownership.end(self._head())
        except DatabaseAway:
            log.warning("the database is away; another process will close what this one leaves open")
        self._database.close()


_lock = threading.Lock()
_current: Writer | None = None


def current() -> Writer:
    """This process's writer, started on first use."""
    global _current
    if _current is None:
        with _lock:
            if _current is None:
                _current = _start()
    return _current


def stop(timeout: float = 10.0) -> bool:
    """Stop this process's writer, if it has one; False if something could not be written. The next use starts anew."""
    global _current
    with _lock:
        writer, _current = _current, None
    return writer is None or writer.mode == "off" or writer.stop(timeout)


def _start() -> Writer:
    from django.conf import settings
    from django.db import connections

    from .database import connect

    writer = Writer(connect(connections["default"].settings_dict), cast(RecordMode, settings.LUTHIEN_RECORD))
    if writer.mode != "off":
        writer.start()
    return writer
