"""The way to Redis for what the workers and replicas share: how keys begin, and a client for each event loop."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from redis.asyncio import Redis

PATIENCE = 2.0
"""Seconds that Redis may take for one answer: a call waits for it."""


def key(*parts: str) -> str:
    """The name under which something stands in Redis, where others may keep theirs too."""
    return ":".join(("luthien", *parts))


class Clients:
    """Of one Redis; texts come back as str."""

    def __init__(self, url: str) -> None:
        self._url = url
        # A connection belongs to the loop that made it.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = WeakKeyDictionary()

    def client(self) -> Redis:
        """The running loop's."""
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = Redis.from_url(
                self._url, decode_responses=True, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
            )
        return client

    async def close(self) -> None:
        """Close the running loop's."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()
