"""The thread that fills the index: in each gateway process, of which one at a time has work."""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog
from django.db import DatabaseError, connection
from django.utils import timezone

from ..models import Process
from . import indexing

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 2.0
LIFELESS = timedelta(seconds=10)


class Indexer:
    """`start` begins, `stop` ends; `boot_id` names this process's claim."""

    def __init__(self, boot_id: str) -> None:
        self._boot_id = boot_id
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="search-indexer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        self._stop.set()
        self._thread.join(timeout)

    def round(self) -> None:
        """Index what there is, if it is this process that does."""
        if is_first(self._boot_id):
            while indexing.catch_up() and not self._stop.is_set():
                pass

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


def is_first(boot_id: str) -> bool:
    """Whether of the processes that show signs of life none has been there longer.

    Two may believe it for a moment: they do some work twice, and no harm.
    """
    alive = Process.objects.filter(ended_at=None, heartbeat_at__gt=timezone.now() - LIFELESS)
    return alive.order_by("started_at", "boot_id").values_list("boot_id", flat=True).first() in (boot_id, None)


_lock = threading.Lock()
_current: Indexer | None = None


def start(boot_id: str) -> None:
    """Begin to fill the index in this process."""
    global _current
    with _lock:
        if _current is None:
            _current = Indexer(boot_id)
            _current.start()


def stop() -> None:
    global _current
    with _lock:
        indexer, _current = _current, None
    if indexer is not None:
        indexer.stop()
