"""Keeps one process's directory fresh: a task looks at the revision twice a second and reads what changed."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from django.db import Error as DatabaseError
from django.db import connections

from gateway import prices, services, stopping
from gateway.directory import loading
from gateway.directory.lookups import Lookups
from gateway.directory.snapshot import WIRES, Client, Directory, Route, Target
from gateway.errors import Unavailable
from gateway.upstreams.base import Upstream
from gateway.upstreams.litellm import library as litellm

log = logging.getLogger(__name__)
T = TypeVar("T")

INTERVAL = 0.5
"""Seconds between two looks at the revision."""
USE_INTERVAL = 60.0
"""Seconds between two notes of which keys were used."""
FIRST_LOAD = 5.0
"""Seconds that a caller waits for the first load."""
_LAST_CALLS = 5.0


class Refresher:
    """One event loop's directory, the upstreams in it, and the task that renews both."""

    def __init__(self) -> None:
        self.directory: Directory | None = None
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "directory")
        self._upstreams: dict[loading.ProviderFacts, Upstream] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._used: set[int] = set()
        self._last_look = self._last_note = self._loop.time()
        self._away = False
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._lookups = Lookups()
        self._task = asyncio.create_task(self._run(), name="directory")

    @property
    def age(self) -> float:
        """Seconds since the database was last asked for changes with success."""
        return self._loop.time() - self._last_look

    async def current(self) -> Directory:
        """The newest directory. Raises Unavailable where none could be loaded yet."""
        if self.directory is None:
            with suppress(DatabaseError, TimeoutError):
                async with asyncio.timeout(FIRST_LOAD):
                    await self.refresh()
        if self.directory is None:
            raise Unavailable("Luthien is still waiting for its database.")
        return self.directory

    async def client(self, secret: str) -> Client | None:
        """Whose key it is, from memory, or looked up where it is not there yet."""
        directory = await self.current()
        client = directory.client(secret)
        if client is None:
            client = await self._lookups.find(secret)
            if client is not None:
                self._wake.set()
        if client is not None:
            self._used.add(client.id)
        return client

    async def refresh(self) -> None:
        """Read what changed, if anything did. Raises DatabaseError, and the old directory stays."""
        async with self._lock:
            number = await self._in_thread(loading.revision)
            if self.directory is None or number != self.directory.number:
                self._take(await self._in_thread(loading.load))
            self._last_look = self._loop.time()

    async def stop(self) -> None:
        """End the task and close every upstream, once the calls on it are over or a few seconds have passed."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        with suppress(DatabaseError):
            await self._note_use()
        for upstream in self._upstreams.values():
            self._close(upstream)
        self._upstreams.clear()
        if self._closing:
            _, late = await asyncio.wait(self._closing, timeout=_LAST_CALLS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._lookups.close()
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        prices.start()
        while True:
            try:
                await self.refresh()
                if self._loop.time() - self._last_note >= USE_INTERVAL:
                    await self._note_use()
                self._came_back()
            except DatabaseError as error:
                self._went_away(error)
            except Exception:
                log.exception("The directory could not be renewed; the last one stays in force")
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._wake.wait()
            self._wake.clear()
            # Not at the first look: the port opens first.
            if any(facts.dialect == "litellm" for facts in self._upstreams):
                litellm.start()

    def _take(self, rows: loading.Rows) -> None:
        stopping.put_in_force(rows.stops)
        kept = {facts: self._upstream(facts) for route in rows.routes for facts in route.providers}
        for facts in self._upstreams.keys() - kept.keys():
            self._close(self._upstreams[facts])
        self._upstreams = kept
        self.directory = Directory.of(
            rows.number, rows.active, rows.clients, [_route(each, kept) for each in rows.routes]
        )

    def _upstream(self, facts: loading.ProviderFacts) -> Upstream:
        known = self._upstreams.get(facts)
        if known is None:
            known = self._upstreams[facts] = loading.upstream(facts)
        return known

    def _close(self, upstream: Upstream) -> None:
        task = asyncio.create_task(upstream.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _note_use(self) -> None:
        self._last_note = self._loop.time()
        used, self._used = self._used, set()
        if used:
            await self._in_thread(lambda: services.note_use(used))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._thread, with_connection, work)

    def _went_away(self, error: DatabaseError) -> None:
        if not self._away:
            log.error(
                "The database cannot be read (%s); keys, routes and policies stay as they are", type(error).__name__
            )
        self._away = True

    def _came_back(self) -> None:
        if self._away:
            log.warning("The database can be read again")
        self._away = False


def _route(route: loading.RouteFacts, upstreams: Mapping[loading.ProviderFacts, Upstream]) -> Route:
    def target(facts: loading.ProviderFacts, model: str) -> Target:
        return Target(facts.name, facts.dialect, model, upstreams[facts], facts.passthrough, responses=facts.responses)

    fallbacks = tuple(target(*fallback) for fallback in route.fallbacks)
    serves = target(route.provider, route.model)
    if route.wire:
        serves = dataclasses.replace(serves, translated=WIRES[route.wire])
    return Route(route.match, serves, fallbacks)


def with_connection(work: Callable[[], T]) -> T:
    """Run `work` in a thread that is not Django's, and give its connection back."""
    try:
        return work()
    finally:
        connections.close_all()
