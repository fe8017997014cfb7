"""Counters in Redis, where all processes share them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.exceptions import RedisError

from gateway.shared_redis import PATIENCE, Clients, key
from policies.counting import CountersUnavailable, Share, Slots

_TAKE = """
local held, fits = {}, true
for place = 1, #KEYS do
  local oldest, amount, most = tonumber(ARGV[5*place-3]), tonumber(ARGV[5*place-2]), tonumber(ARGV[5*place-1])
  local slots, used = redis.call('HGETALL', KEYS[place]), 0
  for at = 1, #slots, 2 do
    if tonumber(slots[at]) < oldest then
      redis.call('HDEL', KEYS[place], slots[at])
    else
      used = used + tonumber(slots[at+1])
    end
  end
  held[place] = slots
  if used + amount > most then fits = false end
end
if fits then
  for place = 1, #KEYS do
    redis.call('HINCRBY', KEYS[place], ARGV[5*place-4], ARGV[5*place-2])
    redis.call('EXPIRE', KEYS[place], ARGV[5*place])
  end
end
return held
"""
_CHANGE = """
for place = 1, #KEYS do
  if redis.call('HEXISTS', KEYS[place], ARGV[2*place-1]) == 1 then
    redis.call('HINCRBY', KEYS[place], ARGV[2*place-1], ARGV[2*place])
  end
end
"""


class RedisStore:
    """Each counter is a hash of its slots. One script takes all shares of a call, or none."""

    def __init__(self, url: str) -> None:
        self._clients = Clients(url)

    async def take(self, shares: Sequence[Share]) -> list[Slots]:
        arguments = [(share.slot, share.oldest, share.amount, share.most, share.lasts) for share in shares]
        held = await self._run(_TAKE, shares, arguments)
        return [_slots(flat, share.oldest) for flat, share in zip(held, shares, strict=True)]

    async def change(self, shares: Sequence[Share]) -> None:
        await self._run(_CHANGE, shares, [(share.slot, share.amount) for share in shares])

    async def close(self) -> None:
        await self._clients.close()

    async def _run(self, script: str, shares: Sequence[Share], arguments: Sequence[tuple[int, ...]]) -> Any:
        keys = [key("count", share.key) for share in shares]
        try:
            async with asyncio.timeout(PATIENCE):
                run = self._clients.client().register_script(script)
                return await run(keys=keys, args=[value for each in arguments for value in each])
        except (RedisError, OSError, TimeoutError) as error:
            raise CountersUnavailable(f"Redis cannot be used: {type(error).__name__}") from None


def _slots(flat: Sequence[str], oldest: int) -> Slots:
    numbers = [int(value) for value in flat]
    return {slot: amount for slot, amount in zip(numbers[::2], numbers[1::2], strict=True) if slot >= oldest}
