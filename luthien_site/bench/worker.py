"""The worker that every installation has beside its gateways: it fills the search index, on another core.

While gateways are measured a row stands for it, so that they leave the index alone as they otherwise would. What the
index takes is measured apart, with a real one.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from time import perf_counter

from luthien_site import environment
from luthien_site.bench.client import CallFailed, Pool
from luthien_site.bench.gateway import ROOT, Gateway, Setting
from luthien_site.bench.measure import Figures, Target
from luthien_site.bench.processes import Child
from luthien_site.bench.workload import WHOLE
from observability.rows import database
from observability.rows.database import Database

PATIENCE_SECONDS = 900.0
"""A long run leaves a hundred thousand calls to index."""
_STAND_IN = "INSERT INTO observability_worker (name, started_at, heartbeat_at) VALUES (?, ?, ?)"
_WORKERS = "SELECT COUNT(*) FROM observability_worker"
_BEHIND = """
    SELECT (SELECT COUNT(*) FROM observability_callrecord) - (SELECT COUNT(*) FROM observability_searchentry)
         + (SELECT COUNT(*) FROM observability_searchentry WHERE is_open)
"""


def connect(setting: Setting) -> Database:
    """The database of a gateway."""
    return database.connect(environment.database(setting.database_url, setting.folder / "luthien.sqlite3"))


def announce(setting: Setting) -> None:
    """Lets the gateway believe in a worker; a real one goes before it, as it was there earlier."""
    store = connect(setting)
    tomorrow = store.time(datetime.now(UTC) + timedelta(days=1))
    store.write([(_STAND_IN, [("on another core", tomorrow, tomorrow)])])
    store.close()


@asynccontextmanager
async def running(setting: Setting, store: Database) -> AsyncIterator[Child]:
    """A real worker, which has indexed all there is. Raises CallFailed where it never does."""
    worker = Child("The worker", setting.folder / "worker.log", setting.core)
    before = number(store, _WORKERS)
    worker.spawn([sys.executable, "-m", "luthien_site.worker", str(os.getpid())], setting.env, ROOT)
    try:
        await _until(lambda: number(store, _WORKERS) > before)
        await indexed(store)
        yield worker
    finally:
        worker.stop()


async def index_cpu(target: Target, calls: int) -> Figures:
    """Processor time of a worker, in us a call, to index so many calls. Raises CallFailed where it never does."""
    assert isinstance(target.child, Gateway)
    setting = target.child.setting
    store, requests, pool = connect(setting), target.requests(WHOLE), Pool(target.port)
    try:
        async with running(setting, store) as worker:
            before = worker.cpu()
            for _ in range(calls):
                target.verify(await pool.call(requests.next()))
            await indexed(store)
            return {"worker_us_per_call": (worker.cpu() - before) / calls * 1e6}
    finally:
        pool.close()
        store.close()


async def indexed(store: Database) -> None:
    """Returns when the search index has everything. Raises CallFailed where that takes too long."""
    await _until(lambda: number(store, _BEHIND) == 0)


def number(store: Database, sql: str) -> int:
    return int(store.read(sql)[0][0])


async def _until(holds: Callable[[], bool]) -> None:
    deadline = perf_counter() + PATIENCE_SECONDS
    while not holds():
        if perf_counter() > deadline:
            raise CallFailed("the search index was not filled")
        await asyncio.sleep(0.05)
