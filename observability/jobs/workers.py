"""Which workers are alive: each beats in the database, from a thread of its own, whatever its jobs do."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from celery.signals import worker_ready, worker_shutdown
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.utils import timezone

from observability.models import Worker

log = structlog.get_logger(__name__)

BEAT_SECONDS = 2.5
SILENT_AFTER = timedelta(seconds=10)
FORGOTTEN_AFTER = timedelta(days=1)


def alive() -> QuerySet[Worker]:
    """Workers that were heard of lately, the oldest first."""
    return Worker.objects.filter(heartbeat_at__gte=timezone.now() - SILENT_AFTER)


def own_name() -> str:
    """By which this process is known among workers."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Pulse:
    """Beats from `start` to `stop`; a database that is away is tried again at the next beat."""

    def __init__(self, seconds: float = BEAT_SECONDS) -> None:
        self.name = own_name()
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker-pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns once the row is gone, or that could not be done."""
        self._over.set()
        self._thread.join(5)

    def _run(self) -> None:
        began = timezone.now()
        while not self._over.is_set():
            self._tell(lambda: self._beat(began))
            self._over.wait(self._seconds)
        self._tell(lambda: Worker.objects.filter(name=self.name).delete())

    def _tell(self, write: Callable[[], object]) -> None:
        try:
            write()
        except DatabaseError:
            log.warning("the worker could not say how it is")
        finally:
            connection.close()

    def _beat(self, began: datetime) -> None:
        now = timezone.now()
        Worker.objects.update_or_create(name=self.name, defaults={"started_at": began, "heartbeat_at": now})
        Worker.objects.filter(heartbeat_at__lt=now - FORGOTTEN_AFTER).delete()


class Companion(Protocol):
    """What runs beside a worker's jobs, in a thread of its own."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


def accompany(make: Callable[[], Companion]) -> None:
    """Have one made and started with this process's worker, and stopped with it. To be called where tasks are."""
    made: list[Companion] = []

    def begin(**_: Any) -> None:
        made.append(make())
        made[-1].start()

    def end(**_: Any) -> None:
        while made:
            made.pop().stop()

    worker_ready.connect(begin, weak=False)
    worker_shutdown.connect(end, weak=False)
