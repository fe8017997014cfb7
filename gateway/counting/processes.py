"""Whether other processes count as well, of which this one knows nothing because there is no Redis."""

from __future__ import annotations

import asyncio
import logging
import time

from django.db import Error as DatabaseError

from gateway.directory.refresher import with_connection
from observability import metrics, queries
from observability.recording import writer

log = logging.getLogger(__name__)

INTERVAL = 30.0
"""Seconds between two looks, as long as something is counted."""


class Others:
    """`number` is how many other gateway processes were up when it was last looked."""

    def __init__(self) -> None:
        self.number = 0
        self._next_look = 0.0

    def look(self) -> None:
        """Begin to look, if it is time to. Nobody waits for it."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + INTERVAL
            asyncio.get_running_loop().run_in_executor(None, with_connection, self.count)

    def count(self) -> None:
        """Look now, synchronously."""
        try:
            number = queries.other_processes(writer.current().boot_id)
        except DatabaseError:
            return
        if number and not self.number:
            log.warning("Limits are counted by each of %s processes for itself: set REDIS_URL", number + 1)
        metrics.uncounted_processes.set(number)
        self.number = number
