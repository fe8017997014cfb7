"""The thread that fills the index: of a worker, or of a gateway where no worker is alive.

Indexing a call takes as long as the call took its gateway, and Python runs one thread of a process at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from django.db import DatabaseError, connection

from observability.jobs import workers
from observability.models import Process

from . import indexing

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 2.0
AT_ONCE = 25
"""Calls of one transaction, fewer where they take long: SQLite lets nobody else write meanwhile."""
LONG_SECONDS = 0.1
SHARE = 0.1
"""Of its time, what a gateway that has calls to serve gives to the index."""


class Indexer:
    """`start` begins, `stop` ends.

    `is_ours` says whether nobody else is to do it, `is_busy` whether the process has something to do that goes first.
    """

    def __init__(self, is_ours: Callable[[], bool], is_busy: Callable[[], bool] = lambda: False) -> None:
        self._is_ours = is_ours
        self._is_busy = is_busy
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="search-indexer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        self._stop.set()
        self._thread.join(timeout)

    def round(self) -> None:
        """Index what there is, if that is ours to do."""
        calls = AT_ONCE
        while not self._stop.is_set() and self._is_ours():
            began = time.monotonic()
            if not indexing.catch_up(calls):
                return
            took = time.monotonic() - began
            # One call may take as long as a hundred others.
            calls = max(1, calls // 2) if took > LONG_SECONDS else min(AT_ONCE, calls * 2)
            if self._is_busy():
                self._stop.wait(took * (1 / SHARE - 1))

    def _run(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            try:
                self.round()
            except DatabaseError as error:
                log.warning("the search index waits for the database", error=type(error).__name__)
            except Exception:
                # Nobody else fills it.
                log.exception("the search index could not be filled")
            finally:
                connection.close()


def of_gateway(boot_id: str, is_busy: Callable[[], bool]) -> Indexer:
    """Of the gateway process `boot_id`: it indexes where no worker is alive."""
    return Indexer(lambda: not workers.alive().exists() and is_first(boot_id), is_busy)


def of_worker(name: str) -> Indexer:
    """Of the worker `name`: of those that are alive, the first indexes."""
    return Indexer(
        lambda: workers.alive().order_by("started_at", "name").values_list("name", flat=True).first() == name
    )


def is_first(boot_id: str) -> bool:
    """Whether of the gateway processes that show signs of life none has been there longer.

    Two may believe it for a moment, as may a worker beside a gateway: they do some work twice, and no harm.
    """
    oldest = Process.objects.alive().order_by("started_at", "boot_id").values_list("boot_id", flat=True).first()
    return oldest in (boot_id, None)
