"""What policies remember of sessions, in Redis."""

from __future__ import annotations

from collections.abc import Mapping

from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from gateway.shared_redis import Clients, key
from policies.memory import MOST_NAMES, Key, MemoryFailed, full

KEPT = 7 * 24 * 3600
"""Seconds that a session is remembered after it was last used."""


class RedisMemory:
    """A Memory that all who use the same Redis share: a hash for each policy and session."""

    def __init__(self, url: str) -> None:
        self._clients = Clients(url)

    async def first_seen(self, of: Key, values: Mapping[str, str]) -> dict[str, str]:
        if not values:
            return {}
        try:
            return await self._first_seen(key("memory", *of), values)
        except (RedisError, OSError, TimeoutError) as error:
            raise MemoryFailed(f"Redis cannot be asked ({type(error).__name__})") from None

    async def _first_seen(self, place: str, values: Mapping[str, str]) -> dict[str, str]:
        names, client = list(values), self._clients.client()
        async with client.pipeline(transaction=False) as pipeline:
            _ask(pipeline, place, names)
            found, size, _ = await pipeline.execute()
        missing = [name for name, value in zip(names, found, strict=True) if value is None]
        if missing:
            if size + len(missing) > MOST_NAMES:
                raise full()
            async with client.pipeline() as pipeline:
                for name in missing:
                    pipeline.hsetnx(place, name, values[name])  # somebody else may be the first
                _ask(pipeline, place, names)
                found = (await pipeline.execute())[-3]
        return dict(zip(names, found, strict=True))


def _ask(pipeline: Pipeline, place: str, names: list[str]) -> None:
    """Queue three commands: the values of `names`, how many names there are, and that they are kept."""
    pipeline.hmget(place, names)
    pipeline.hlen(place)
    pipeline.expire(place, KEPT)
