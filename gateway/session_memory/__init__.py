"""What policies remember of sessions: in Redis, so that all workers agree, or in this process where there is none."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from policies.base import Call
from policies.memory import Memory, ProcessMemory


async def first_seen(call: Call, values: Mapping[str, str]) -> dict[str, str]:
    """For `Call.first_seen`. A call that belongs to no session is one of its own. Raises MemoryFailed."""
    if not call.session:
        return dict(values)
    return await _memory.first_seen((call.policy, call.mode, call.session), values)


def memory_at(redis_url: str) -> Memory:
    """The Memory of this process, or the one in Redis where there is a URL."""
    if not redis_url:
        return ProcessMemory()
    from .shared import RedisMemory  # its library takes long to import, and few have Redis

    return RedisMemory(redis_url)


_memory = memory_at(settings.REDIS_URL)
