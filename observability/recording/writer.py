"""The only code that writes call records: one thread a process, on a connection of its own.

It commits at once when idle and groups what arrives meanwhile; `async` waits a moment to group more. With the database
away everything goes to a journal on disk, in order and within bounds, and is durable there; where there is none it
waits in memory, and whoever waits for it is told after PATIENCE.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Literal, cast

import structlog

from observability import metrics
from observability.recovery.spill import Spill
from observability.rows.database import Database
from observability.rows.entries import Entry, Opening

from .committer import BACKOFF, Committer
from .inbox import Inbox, Queued
from .waiting import RecordUnavailable, Waiter

log = structlog.get_logger(__name__)

RecordMode = Literal["blocking", "async", "off"]
GROUPING_SECONDS = 0.05
"""How long `async` gathers; its promise is a commit within 100 ms."""
GROUP_BYTES = 16 * 1024 * 1024


class Writer:
    """`submit` may be called from any event loop; everything else happens in the thread."""

    def __init__(
        self, database: Database, mode: RecordMode, spill: Spill | None = None, *, find_orphans: bool = True
    ) -> None:
        self.mode = mode
        self._inbox = Inbox()
        self._committer = Committer(database, self._inbox, spill or Spill(), find_orphans=find_orphans)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="record-writer", daemon=True)

    @property
    def boot_id(self) -> str:
        """The name of this process's claim on the calls that it opens, and of its chain."""
        return self._committer.ownership.boot_id

    @property
    def healthy(self) -> bool:
        """Whether the last write went well, or what comes now is durable all the same."""
        return self.mode == "off" or self._committer.is_healthy

    @property
    def ready(self) -> bool:
        """Whether it is healthy, and the database has been told that this process lives, or was asked in vain."""
        told = self._committer.ownership.since is not None or self._committer.failures > 0
        return self.mode == "off" or (told and self._committer.is_healthy)

    def start(self) -> None:
        self._committer.start()
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Write what is queued, as far as the database lets us within `timeout` seconds; False if that was not all."""
        self._stopping = True
        self._inbox.wake()
        self._thread.join(timeout)
        return not self._thread.is_alive() and self._committer.is_idle

    def admit(self, opening: Opening) -> None:
        """Where so much is waiting already that no call may begin, the opening is dropped.

        Raises RecordUnavailable in `blocking`.
        """
        if self.mode == "off" or not (self._inbox.is_full or not self._committer.has_room):
            return
        opening.is_dropped = True  # or its end would wait for room that there is not
        if self.mode == "blocking":
            metrics.records_refused.inc()
            raise RecordUnavailable("too much waits for the database")
        metrics.calls_unrecorded.inc()

    def submit(self, entry: Entry) -> Waiter | None:
        """Queue an entry; in `blocking` the waiter tells when it is durable, or that it will not be."""
        if self.mode == "off":
            return None
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
        committer = self._committer
        if taken := self._take():
            committer.add(taken)
        if self._stopping:
            committer.stop()
        if committer.is_due or self._stopping:
            committer.flush()
        metrics.record_queue.set(self._inbox.waiting)
        metrics.record_lag.set(committer.lag)
        if self._stopping and self._inbox.is_empty and committer.may_leave:
            committer.leave()
            return False
        return True

    def _take(self) -> list[Queued]:
        idle = self.mode == "async" and not self._stopping and self._committer.is_idle
        pause = 0.01 if self._stopping else self._committer.pause()
        return self._inbox.take(pause, self._committer.limit, GROUP_BYTES, GROUPING_SECONDS if idle else 0.0)


_lock = threading.Lock()
_current: Writer | None = None


def _forget() -> None:
    """A forked process has no part in the record of the one that it came from: not its thread, chain or journal."""
    global _lock, _current
    _lock, _current = threading.Lock(), None


os.register_at_fork(after_in_child=_forget)


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

    from observability.rows.database import connect

    mode = cast(RecordMode, settings.LUTHIEN_RECORD)
    spill = Spill(settings.LUTHIEN_DATA_DIR / "spill", settings.LUTHIEN_SPILL_MB * 1_000_000) if mode != "off" else None
    writer = Writer(connect(connections["default"].settings_dict), mode, spill)
    if mode != "off":
        writer.start()
    return writer
