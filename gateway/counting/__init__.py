"""The counters of this process's policies: in Redis, where all processes share them, else in its memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from django.conf import settings

from gateway.counting.processes import Others
from policies.base import Call
from policies.counting import Count, Counters, Limit, MemoryStore

if TYPE_CHECKING:
    from gateway.counting.redis_store import RedisStore

# A connection belongs to the loop that made it.
_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, RedisStore] = WeakKeyDictionary()
_alone = Counters(MemoryStore())
_others = Others()


async def count(call: Call, limits: Sequence[Limit]) -> Count:
    """Count for a policy; see `Call.count`. Raises CountersUnavailable."""
    if settings.REDIS_URL:
        return await Counters(_store()).count(call, limits)
    _others.look()
    if problem := warning():
        call.note("limits", problem)
    return await _alone.count(call, limits)


def warning() -> str:
    """What is wrong with how limits are counted here; empty if nothing is."""
    if not _others.number:
        return ""
    return f"limits are counted apart from {_others.number} other processes: set REDIS_URL"


async def stop() -> None:
    """Close what this loop opened."""
    store = _shared.pop(asyncio.get_running_loop(), None)
    if store is not None:
        await store.close()


def _store() -> RedisStore:
    loop = asyncio.get_running_loop()
    store = _shared.get(loop)
    if store is None:
        from gateway.counting.redis_store import RedisStore  # its library takes long to import, and few have Redis

        store = _shared[loop] = RedisStore(settings.REDIS_URL)
    return store
