"""What the search index takes of a processor: not of the gateway's, but of a worker's, which does it afterwards."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from time import perf_counter

from luthien_site import environment
from luthien_site.bench.client import CallFailed, Pool
from luthien_site.bench.gateway import ROOT, Gateway
from luthien_site.bench.measure import Figures, Target
from luthien_site.bench.processes import Child
from luthien_site.bench.workload import WHOLE
from observability.rows import database
from observability.rows.database import Database

PATIENCE_SECONDS = 60.0
_WORKERS = "SELECT COUNT(*) FROM observability_worker"
_BEHIND = """
    SELECT (SELECT COUNT(*) FROM observability_callrecord) - (SELECT COUNT(*) FROM observability_searchentry)
         + (SELECT COUNT(*) FROM observability_searchentry WHERE is_open)
"""


async def index_cpu(target: Target, calls: int) -> Figures:
    """Processor time of a worker, in us a call, to index so many calls. Raises CallFailed where it never does."""
    assert isinstance(target.child, Gateway)
    setting = target.child.setting
    store = database.connect(environment.database(setting.database_url, setting.folder / "luthien.sqlite3"))
    worker = Child("The worker", setting.folder / "worker.log", setting.core)
    requests, pool = target.requests(WHOLE), Pool(target.port)
    try:
        worker.spawn([sys.executable, "-m", "luthien_site.worker", str(os.getpid())], setting.env, ROOT)
        await _until(lambda: _number(store, _WORKERS) > 0 and _number(store, _BEHIND) == 0)
        before = worker.cpu()
        for _ in range(calls):
            target.verify(await pool.call(requests.next()))
        await _until(lambda: _number(store, _BEHIND) == 0)
        return {"worker_us_per_call": (worker.cpu() - before) / calls * 1e6}
    finally:
        pool.close()
        worker.stop()
        store.close()


async def _until(holds: Callable[[], bool]) -> None:
    deadline = perf_counter() + PATIENCE_SECONDS
    while not holds():
        if perf_counter() > deadline:
            raise CallFailed("the search index was not filled")
        await asyncio.sleep(0.05)


def _number(store: Database, sql: str) -> int:
    return int(store.read(sql)[0][0])
