"""From entries to rows that are durable, in the database or before that in the journal; the writer's thread's alone."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from observability import metrics
from observability.bodies.blobs import NewBlob, Shelf
from observability.recovery import superseded
from observability.recovery.estate import Estate
from observability.recovery.spill import Spill
from observability.rows.batch import Batch
from observability.rows.chain import Chain, Mark
from observability.rows.database import PATIENCE, Database, DatabaseAway, DatabaseRefused
from observability.rows.entries import Closing, Opening
from observability.rows.process import HEARTBEAT_SECONDS, Ownership
from observability.rows.statements import Statement

from .errand import Errand
from .inbox import Inbox, Queued
from .waiting import RecordUnavailable, settle

log = structlog.get_logger(__name__)

TRANSACTION_SECONDS = 0.025
"""What a transaction should take; it may never last over 50 ms, because readers and pages wait for it."""
FEWEST, MOST = 16, 1000
"""Bounds of the number of entries in a transaction, which follows from how long the last one took."""
DRAIN_SECONDS = 0.03
"""How long what waits on disk is written before new entries are looked after again."""
BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0)
REACH_SECONDS = 5.0
"""How long a database that was away may think about its first answers; nobody waits for them but their thread."""


@dataclass(slots=True)
class _Work:
    """What is committed together. `mark` is where the chain stood before it, `done` counts durable transactions.
    `inherited` says that its calls were those of a dead process."""

    queued: Sequence[Queued]
    transactions: list[list[Statement]]
    blobs: list[NewBlob]
    mark: Mark
    done: int = 0
    inherited: bool = False


class Committer:
    """`failures` counts the attempts since the database last took something.

    A database that is away is called by another thread, because even asking may take seconds; that thread then has
    the database, the claim and the draining to itself, and this one the journal.
    """

    def __init__(self, database: Database, inbox: Inbox, spill: Spill, *, find_orphans: bool) -> None:
        self.failures = 0
        self.limit = FEWEST * 4
        self.ownership = Ownership(database)
        self._database = database
        self._inbox = inbox
        self._spill = spill
        self._spill.begin(self.ownership.boot_id)
        self._estate = Estate(database.twin(), self.ownership, spill.folder, inbox.wake) if find_orphans else None
        self._reaching: Errand[bool] | None = None
        self._backlog: deque[_Work] = deque()
        self._shelf = Shelf()
        self._chain = Chain(self.ownership.boot_id)
        self._spilled_at = self._chain.mark()
        self._retry_at = 0.0

    def start(self) -> None:
        if self._estate is not None:
            self._estate.start()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is waiting in memory."""
        return not self._backlog

    @property
    def is_done(self) -> bool:
        """Whether the database has everything."""
        return not self._backlog and not self._spill.waiting

    @property
    def may_leave(self) -> bool:
        """Whether nothing more will come of waiting, once nothing new comes."""
        if self._reaching is not None:
            return False
        return bool(self.failures) or (self.is_done and (self._estate is None or self._estate.is_over))

    @property
    def is_healthy(self) -> bool:
        """Whether what comes now can be put on record: the last write went well, or the journal has room."""
        return not self.failures or not self._spill.is_full

    @property
    def has_room(self) -> bool:
        return not self._spill.waiting or not self._spill.is_full

    @property
    def lag(self) -> float:
        """Seconds for which the oldest entry has waited for the database in memory."""
        oldest = next((work.queued[0].since for work in self._backlog if work.queued), None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    def pause(self) -> float:
        """Seconds until there is something to do, if nothing new comes."""
        if self._reaching is not None:
            return HEARTBEAT_SECONDS
        if self.failures:
            return max(self._retry_at - time.monotonic(), 0.001)
        return 0.001 if self._spill.waiting or self._backlog or not self.ownership.since else HEARTBEAT_SECONDS

    def add(self, queued: Sequence[Queued]) -> None:
        """Prepare what came; with the database away it is durable in the journal on return."""
        self._backlog.append(self._prepare(queued))
        self._secure()

    @property
    def is_due(self) -> bool:
        """Whether it is time to write to the database, if only its heartbeat."""
        return self._reaching.is_done if self._reaching is not None else time.monotonic() >= self._retry_at

    def flush(self) -> None:
        """Commit what is prepared, in order, until it is done or the database fails."""
        try:
            if self._reaching is not None:
                self._reached(self._reaching)
            elif self.failures:
                self._reach()
            if not self.failures:
                self._keep()
                self._spill.drain(self._database, DRAIN_SECONDS)
                self._commit_all()
        except DatabaseAway as error:
            self._retry_at = time.monotonic() + BACKOFF[min(self.failures, len(BACKOFF) - 1)]
            self.failures += 1
            if self.failures in (1, 10):
                log.error("the database is away; records wait", error=str(error), waiting=self._inbox.waiting)
            self._secure()

    def stop(self) -> None:
        """Nothing new will come: look for no more than is there."""
        if self._estate is not None:
            self._estate.stop()

    def leave(self) -> None:
        if self._backlog:
            log.critical("records could not be written before the end", entries=self._inbox.waiting)
        if self.is_done:
            try:
                self.ownership.end(self._head())
            except DatabaseAway:
                log.warning("the database is away; another process will close what this one leaves open")
        self._database.close()
        self._spill.close()

    def _reach(self) -> None:
        """Call the database from another thread; what waits is tried on it, which is more than an answer."""
        head = self._head()
        self._database.patience = REACH_SECONDS

        def call() -> bool:
            kept = self.ownership.keep(head, must=True)
            if kept:
                self._spill.drain(self._database, DRAIN_SECONDS)
            return kept

        self._reaching = Errand(call, self._inbox.wake)

    def _reached(self, reaching: Errand[bool]) -> None:
        """Go on from what came of the call, if it is over. Raises DatabaseAway."""
        if not reaching.is_done:
            return
        self._reaching = None
        self._database.patience = PATIENCE
        kept = reaching.result()
        self.failures = 0
        log.warning("the database is back", waiting=self._spill.waiting)
        if not kept:
            self._disown()

    def _keep(self) -> None:
        if not self.ownership.keep(self._head()):
            self._disown()

    def _head(self) -> Mark:
        """Where the chain stands in the database, or behind that."""
        if self._spill.waiting:
            return self._spilled_at
        return self._backlog[0].mark if self._backlog else self._chain.mark()

    def _secure(self) -> None:
        """While the database is away, and until it has what waits on disk, everything goes there, in its order."""
        if not (self.failures or self._spill.waiting):
            return
        while self._backlog:
            work = self._backlog[0]
            mark = self._head()
            if not self._spill.keep(work.transactions, max(len(work.queued), 1)):
                return
            self._spilled_at = mark
            self._finish(self._backlog.popleft(), None)

    def _prepare(self, queued: Sequence[Queued]) -> _Work:
        mark = self._chain.mark()
        batch = self._new_batch()
        for item in queued:
            if item.entry.process != self.ownership.boot_id:
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

    def _commit_all(self) -> None:
        if self._spill.waiting:
            return
        self._spill.all_written()
        self._inherit()
        while self._backlog:
            try:
                self._commit(self._backlog[0])
            except DatabaseRefused as error:
                self._refused(error)
            else:
                self._finish(self._backlog.popleft(), None)

    def _inherit(self) -> None:
        """Close calls whose process died, as work of our own: the answer to its commit may be lost like any other."""
        if self._estate is None or not (orphans := self._estate.take()):
            return
        mark, batch = self._chain.mark(), self._new_batch()
        for orphan in orphans:
            orphan.add_to(batch)
        self._backlog.append(_Work((), batch.transactions(), batch.blobs, mark, inherited=True))

    def _commit(self, work: _Work) -> None:
        began = time.perf_counter()
        while work.done < len(work.transactions):
            transaction = work.transactions[work.done]
            changed = self._database.write(transaction)
            superseded.excuse(self._database, transaction, changed)
            work.done += 1
        factor = 0.5 if time.perf_counter() - began > TRANSACTION_SECONDS else 1.25
        self.limit = int(min(max(self.limit * factor, FEWEST), MOST))

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

    def _disown(self) -> None:
        """Another process took us for dead and closed our calls: nothing of them may be released any more."""
        log.critical("this process was taken for dead; its open calls are closed as interrupted")
        while self._backlog:
            self._finish(self._backlog.popleft(), RecordUnavailable("the record of this call was closed"))
        self._shelf = Shelf()
        self.ownership.renew()
        self._chain = Chain(self.ownership.boot_id)
        self._spilled_at = self._chain.mark()
        # What waits on disk was of the old name, and comes home as that of any dead process.
        self._spill.begin(self.ownership.boot_id)
        self.ownership.keep(self._head())

    def _finish(self, work: _Work, error: Exception | None) -> None:
        settle([item.waiter for item in work.queued], error)
        self._inbox.done(work.queued)
        if work.inherited and self._estate is not None:
            self._estate.closed()
