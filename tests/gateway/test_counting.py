"""Counters in a real Valkey and in memory, which have to count alike."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from gateway import counting
from gateway.counting.processes import Others
from gateway.counting.redis_store import RedisStore
from observability import metrics, queries
from observability.models import Process
from observability.recording import writer
from policies.base import Call
from policies.counting import Calendar, Counters, CountersUnavailable, Limit, MemoryStore, Rolling, Store
from tests.gateway.running import Collected
from tests.plugins.servers import free_port
from tests.plugins.services import valkey_address

HOUR = Rolling(3600)


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    made = RedisStore(request.getfixturevalue("redis_url"))
    yield made
    await made.close()


async def test_all_limits_are_taken_or_none(store: Store) -> None:
    counters, few, many = Counters(store), Limit("few", 1, Calendar("month")), Limit("many", 10, HOUR, 3)
    assert (await counters.count(Call(), [many, few])).used == {"many": 3, "few": 1}
    refused = await counters.count(Call(), [many, few])
    assert refused.full == few
    assert refused.retry_after is not None
    assert (await counters.count(Call(), [many])).used == {"many": 6}


async def test_what_it_came_to_counts_from_then_on(store: Store) -> None:
    counters = Counters(store)
    count = await counters.count(Call(), [Limit("tokens", 100, HOUR, 80)])
    await count.settle({"tokens": 10})
    assert (await counters.count(Call(), [Limit("tokens", 100, HOUR, 90)])).used == {"tokens": 100}
    more = await counters.count(Call(), [Limit("tokens", 1000, HOUR, 1)])
    await more.settle({"tokens": 500})
    assert (await counters.count(Call(), [Limit("tokens", 1000, HOUR, 0)])).used == {"tokens": 600}


async def test_processes_that_count_at_once_never_take_more_than_there_is(redis_url: str) -> None:
    stores = [RedisStore(redis_url) for _ in range(3)]
    asked = (Counters(store).count(Call(), [Limit("n", 7, HOUR)]) for store in stores * 10)
    assert sum(count.full is None for count in await asyncio.gather(*asked)) == 7
    for store in stores:
        await store.close()


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 40), st.integers(0, 6), st.none() | st.integers(0, 12)), min_size=1, max_size=12
    )
)
@examples(max_examples=30)
async def test_memory_and_redis_count_alike(steps: list[Any]) -> None:
    now = time.time()
    redis, limit = RedisStore(valkey_address()), Limit("n", 10, Rolling(60), of=secrets.token_hex())
    both = [Counters(store, lambda: now) for store in (MemoryStore(lambda: now), redis)]
    for wait, amount, used in steps:
        now += wait
        asked = Limit("n", 10, Rolling(60), amount, limit.of)
        counts = [await counters.count(Call(), [asked]) for counters in both]
        assert counts[0].used == counts[1].used
        assert counts[0].retry_after == counts[1].retry_after
        for count in counts:
            await count.settle({} if used is None else {"n": used})
    await redis.close()


async def test_counters_go_from_redis_when_their_window_is_over(redis_url: str) -> None:
    from redis.asyncio import Redis

    store = RedisStore(redis_url)
    await Counters(store).count(Call(), [Limit("n", 1, Rolling(120))])
    async with Redis.from_url(redis_url) as client:
        (key,) = await client.keys("luthien:count:*")
        assert 100 < await client.ttl(key) <= 132
    await store.close()


async def test_without_redis_nothing_is_counted_wrongly() -> None:
    store = RedisStore(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(CountersUnavailable, match="Redis cannot be used: ConnectionError"):
        await Counters(store).count(Call(), [Limit("n", 1, HOUR)])
    await store.close()


async def test_calls_count_in_redis_where_there_is_one(redis_url: str, settings: Settings) -> None:
    settings.REDIS_URL = redis_url
    assert (await counting.count(Call(), [Limit("n", 1, HOUR)])).full is None
    await counting.stop()
    assert (await counting.count(Call(), [Limit("n", 1, HOUR)])).full is not None
    await counting.stop()
    await counting.stop()
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    with pytest.raises(CountersUnavailable):
        await counting.count(Call(), [Limit("n", 1, HOUR)])
    await counting.stop()


async def test_a_process_that_counts_for_itself_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REDIS_URL = ""
    others = Others()
    monkeypatch.setattr(counting, "_others", others)
    monkeypatch.setattr(others, "look", lambda: None)
    notes: list[Any] = []
    call = Call(policy="alone", on_note=lambda *note: notes.append(note))
    await counting.count(call, [Limit("n", 5, HOUR)])
    others.number = 2
    await counting.count(call, [Limit("n", 5, HOUR)])
    assert counting.warning() == "limits are counted apart from 2 other processes: set REDIS_URL"
    assert notes == [("limits", counting.warning(), None)]


@pytest.mark.django_db
def test_other_processes_are_those_with_a_sign_of_life(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "current", Collected)
    from datetime import timedelta

    from django.utils import timezone

    now = timezone.now()
    others = Others()
    others.count()
    assert others.number == 0
    for name, ago, ended in (("boot", 1, None), ("a", 1, None), ("b", 2, None), ("dead", 60, None), ("gone", 1, now)):
        beat = now - timedelta(seconds=ago)
        Process.objects.create(boot_id=name, host="h", pid=1, started_at=now, heartbeat_at=beat, ended_at=ended)
    assert queries.other_processes("a") == 2
    others.count()
    others.count()
    assert others.number == 2
    assert caplog.text.count("Limits are counted by each of 3 processes for itself") == 1
    assert b"luthien_uncounted_processes 2.0" in metrics.render()
