"""Looking a key up past the snapshot, so that one just made works at once and a flood of wrong ones does no harm."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from django.db import Error as DatabaseError
from django.db import connections

from gateway import secrets
from gateway.directory import loading
from gateway.directory.snapshot import Client
from gateway.errors import Unavailable

AT_ONCE = 8
MOST_WAITING = 64
MISS_LASTS = 1.0
"""Seconds for which a key that was not found counts as unknown without another look."""
_MOST_MISSES = 10_000


class Lookups:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(AT_ONCE, "key-lookup")
        self._waiting = 0
        self._misses: dict[str, float] = {}

    async def find(self, secret: str) -> Client | None:
        """The client whose key it is. Raises Unavailable when too many ask, or the database does not answer."""
        digest, now = secrets.digest(secret), self._loop.time()
        if self._misses.get(digest, 0.0) > now:
            return None
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Too many unknown keys are being looked up; try again.")
        client = await self._look(digest)
        if client is None:
            self._remember(digest, now + MISS_LASTS)
        return client

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    async def _look(self, digest: str) -> Client | None:
        self._waiting += 1
        try:
            return await self._loop.run_in_executor(self._threads, _find, digest)
        except DatabaseError:
            raise Unavailable("This key is not known here yet, and the database cannot be asked now.") from None
        finally:
            self._waiting -= 1

    def _remember(self, digest: str, until: float) -> None:
        if len(self._misses) >= _MOST_MISSES:
            self._misses.clear()
        self._misses[digest] = until


def _find(digest: str) -> Client | None:
    try:
        return loading.find_client(digest)
    finally:
        connections.close_all()
