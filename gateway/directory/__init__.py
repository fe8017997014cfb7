"""Keys, routes, providers and policies as every call sees them: in memory, and at most two seconds old.

The lifespan calls `start` and `stop`. Where a server sends no lifespan, the first use starts it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from gateway.directory.refresher import Refresher
from gateway.directory.snapshot import Client, Directory, Route, Target
from gateway.errors import Unavailable

__all__ = ["Client", "Directory", "Route", "Target", "age", "current", "find_client", "refresh", "start", "stop"]

# One a loop: sessions and tasks belong to the loop that made them.
_refreshers: dict[asyncio.AbstractEventLoop, Refresher] = {}


async def start() -> None:
    """Begin to keep the directory fresh; returns once it is loaded, or the database was found to be away."""
    with suppress(Unavailable):
        await _refresher().current()


async def stop() -> None:
    """End what `start` began, in this loop."""
    refresher = _refreshers.pop(asyncio.get_running_loop(), None)
    if refresher is not None:
        await refresher.stop()


async def current() -> Directory:
    """The newest directory. Raises Unavailable where none could be loaded yet."""
    return await _refresher().current()


async def find_client(secret: str) -> Client | None:
    """Whose key `secret` is: from memory, else looked up. Raises Unavailable."""
    return await _refresher().client(secret)


async def refresh() -> None:
    """Read what changed now instead of at the next look. Raises DatabaseError."""
    await _refresher().refresh()


def age() -> float:
    """Seconds since the database was last asked for changes with success."""
    return _refresher().age


def _refresher() -> Refresher:
    loop = asyncio.get_running_loop()
    refresher = _refreshers.get(loop)
    if refresher is None:
        for closed in [known for known in _refreshers if known.is_closed()]:
            del _refreshers[closed]
        refresher = _refreshers[loop] = Refresher()
    return refresher
