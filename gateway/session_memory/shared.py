"""What policies remember of sessions, in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from policies.memory import MOST_NAMES, Key, MemoryFailed, full

KEPT = 7 * 24 * 3600
"""Seconds that a session is remembered after it was last used."""
PATIENCE = 2.0
"""Seconds that Redis may take for one answer."""


class RedisMemory:
    """A Memory that all who use the same Redis share: a hash for each policy and session."""

    def __init__(self, url: str) -> None:
        self._url = url
        # A connection belongs to the loop that made it.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = WeakKeyDictionary()

    async def first_seen(self, key: Key, values: Mapping[str, str]) -> dict[str, str]:
        if not values:
            return {}
        try:
            return await self._first_seen(":".join(("luthien", "memory", *key)), values)
        except (RedisError, OSError, TimeoutError) as error:
            raise MemoryFailed(f"Redis cannot be asked ({type(error).__name__})") from None

    async def _first_seen(self, key: str, values: Mapping[str, str]) -> dict[str, str]:
        names, client = list(values), self._client()
        async with client.pipeline(transaction=False) as pipeline:
            _ask(pipeline, key, names)
            found, size, _ = await pipeline.execute()
        missing = [name for name, value in zip(names, found, strict=True) if value is None]
        if missing:
            if size + len(missing) > MOST_NAMES:
                raise full()
            async with client.pipeline() as pipeline:
                for name in missing:
                    pipeline.hsetnx(key, name, values[name])  # somebody else may be the first
                _ask(pipeline, key, names)
                found = (await pipeline.execute())[-3]
        return dict(zip(names, found, strict=True))

    def _client(self) -> Redis:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = Redis.from_url(
                self._url, decode_responses=True, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
            )
        return client


def _ask(pipeline: Pipeline, key: str, names: list[str]) -> None:
    """Queue three commands: the values of `names`, how many names there are, and that they are kept."""
    pipeline.hmget(key, names)
    pipeline.hlen(key)
    pipeline.expire(key, KEPT)
