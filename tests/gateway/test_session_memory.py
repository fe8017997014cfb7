"""Both memories, by the same tests; Redis is a real Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from redis import Redis

from gateway import session_memory
from gateway.session_memory import memory_at
from gateway.session_memory.shared import KEPT, RedisMemory
from policies.base import Call
from policies.memory import MOST_NAMES, Key, Memory, MemoryFailed, ProcessMemory
from tests.plugins.servers import free_port

KEY: Key = ("pins", "enforce", "ses_1")


@pytest.fixture(params=["process", "redis"])
def memory(request: pytest.FixtureRequest) -> Memory:
    return memory_at("" if request.param == "process" else request.getfixturevalue("redis_url"))


async def test_the_first_value_stays(memory: Memory) -> None:
    assert await memory.first_seen(KEY, {"a": "1", "b": "2"}) == {"a": "1", "b": "2"}
    assert await memory.first_seen(KEY, {"b": "3", "c": "4"}) == {"b": "2", "c": "4"}
    assert await memory.first_seen(KEY, {}) == {}


async def test_each_policy_mode_and_session_has_its_own(memory: Memory) -> None:
    others: list[Key] = [("other", "enforce", "ses_1"), ("pins", "shadow", "ses_1"), ("pins", "enforce", "ses_2")]
    for number, key in enumerate([KEY, *others]):
        assert await memory.first_seen(key, {"a": str(number)}) == {"a": str(number)}


async def test_who_comes_at_the_same_time_is_told_the_same(memory: Memory) -> None:
    told = await asyncio.gather(*(memory.first_seen(KEY, {"a": str(number)}) for number in range(20)))
    assert all(each == told[0] for each in told)


async def test_a_session_remembers_no_more_names_than_it_may(memory: Memory) -> None:
    names = {str(number): "x" for number in range(MOST_NAMES)}
    assert await memory.first_seen(KEY, names) == names
    with pytest.raises(MemoryFailed, match=f"more than {MOST_NAMES} names"):
        await memory.first_seen(KEY, {"one more": "x"})
    assert await memory.first_seen(KEY, {"0": "y"}) == {"0": "x"}


async def test_two_workers_agree_through_redis_and_after_a_week_it_forgets(redis_url: str) -> None:
    one, other = RedisMemory(redis_url), RedisMemory(redis_url)
    await one.first_seen(KEY, {"a": "1"})
    assert await other.first_seen(KEY, {"a": "2"}) == {"a": "1"}
    with Redis.from_url(redis_url) as client:
        (name,) = client.keys()
        assert KEPT - 60 < client.ttl(name) <= KEPT


async def test_where_redis_is_away_nothing_is_guessed() -> None:
    memory = RedisMemory(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(MemoryFailed, match="Redis cannot be asked"):
        await memory.first_seen(KEY, {"a": "1"})


def test_each_loop_has_a_connection_of_its_own(redis_url: str) -> None:
    memory = RedisMemory(redis_url)
    for number in range(2):
        assert asyncio.run(memory.first_seen(KEY, {"a": str(number)})) == {"a": "0"}


async def test_a_call_speaks_for_its_policy_and_session(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Key] = []

    class Watched(ProcessMemory):
        async def first_seen(self, key: Key, values: Mapping[str, str]) -> dict[str, str]:
            asked.append(key)
            return await super().first_seen(key, values)

    monkeypatch.setattr(session_memory, "_memory", Watched())
    call = Call(session="ses_1", policy="pins", mode="shadow", on_first_seen=session_memory.first_seen)
    assert await call.first_seen({"a": "1"}) == {"a": "1"}
    call.session = ""
    assert await call.first_seen({"a": "2"}) == {"a": "2"}
    assert asked == [("pins", "shadow", "ses_1")]
