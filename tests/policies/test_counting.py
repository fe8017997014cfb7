import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.base import Call
from policies.counting import Calendar, Count, Counters, CountersUnavailable, Limit, MemoryStore, Rolling

MINUTE = Rolling(60)


class Clock:
    def __init__(self, now: float = 1_000_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def counters(clock: Clock) -> Counters:
    return Counters(MemoryStore(clock), clock)


async def take(made: Counters, *limits: Limit, policy: str = "p") -> Count:
    return await made.count(Call(policy=policy), limits)


async def test_no_more_is_taken_than_there_is_however_many_ask_at_once() -> None:
    made = counters(Clock())
    counts = await asyncio.gather(*(take(made, Limit("requests", 5, MINUTE)) for _ in range(20)))
    assert sum(count.full is None for count in counts) == 5


async def test_all_limits_are_taken_or_none() -> None:
    made = counters(Clock())
    few, many = Limit("few", 1, MINUTE), Limit("many", 10, MINUTE)
    assert (await take(made, many, few)).used == {"many": 1, "few": 1}
    refused = await take(made, many, few)
    assert (refused.full, refused.used, refused.amounts) == (few, {}, {})
    assert (await take(made, many)).used == {"many": 2}


async def test_what_it_came_to_counts_from_then_on() -> None:
    made = counters(Clock())
    first = await take(made, Limit("tokens", 100, MINUTE, 80))
    assert (await take(made, Limit("tokens", 100, MINUTE, 30))).full
    await first.settle({"tokens": 10, "unknown": 5})
    assert (await take(made, Limit("tokens", 100, MINUTE, 30))).used == {"tokens": 40}
    await first.settle({})
    await first.settle({"tokens": 80})


async def test_what_was_not_taken_is_not_settled() -> None:
    made = counters(Clock())
    refused = await take(made, Limit("tokens", 10, MINUTE, 80))
    await refused.settle({"tokens": 5})
    assert (await take(made, Limit("tokens", 10, MINUTE, 10))).full is None


async def test_more_may_be_used_than_there_was_and_then_nothing_is_left() -> None:
    clock = Clock()
    made = counters(clock)
    count = await take(made, Limit("tokens", 100, MINUTE, 10))
    await count.settle({"tokens": 500})
    refused = await take(made, Limit("tokens", 100, MINUTE, 1))
    assert refused.retry_after is not None
    clock.now += refused.retry_after
    assert (await take(made, Limit("tokens", 100, MINUTE, 1))).full is None


async def test_what_is_settled_after_its_window_changes_nothing() -> None:
    clock = Clock()
    made = counters(clock)
    count = await take(made, Limit("tokens", 100, MINUTE, 80))
    clock.now += 70
    await take(made, Limit("tokens", 100, MINUTE, 10))
    await count.settle({"tokens": 0})
    assert (await take(made, Limit("tokens", 100, MINUTE, 1))).used == {"tokens": 11}


async def test_what_never_fits_has_no_time_to_wait_for() -> None:
    made = counters(Clock())
    refused = await take(made, Limit("tokens", 100, MINUTE, 101))
    assert refused.full
    assert refused.retry_after is None


async def test_counters_are_a_policys_own_and_its_shadows_are_others() -> None:
    made = counters(Clock())
    limit = Limit("requests", 1, MINUTE)
    assert (await take(made, limit)).full is None
    assert (await take(made, limit, policy="q")).full is None
    assert (await made.count(Call(policy="p", mode="shadow"), [limit])).full is None
    assert (await take(made, Limit("requests", 1, MINUTE, of="somebody"))).full is None
    assert (await take(made, Limit("requests", 1, Calendar("day")))).full is None
    assert (await take(made, limit)).full == limit


@given(
    waits=st.lists(st.floats(0, 30), max_size=40),
    amounts=st.lists(st.integers(0, 6), min_size=40, max_size=40),
)
async def test_no_stretch_of_the_window_ever_has_more_than_the_limit(waits: list[float], amounts: list[int]) -> None:
    clock = Clock()
    made = counters(clock)
    taken: list[tuple[float, int]] = []
    for wait, amount in zip(waits, amounts, strict=False):
        clock.now += wait
        count = await take(made, Limit("n", 10, MINUTE, amount))
        if count.full is None:
            taken.append((clock.now, amount))
        assert sum(each for at, each in taken if at > clock.now - 60) <= 10


@given(waits=st.lists(st.floats(0, 30), min_size=1, max_size=30))
async def test_who_waits_as_told_gets_it(waits: list[float]) -> None:
    clock = Clock()
    made = counters(clock)
    for wait in waits:
        clock.now += wait
        count = await take(made, Limit("n", 3, MINUTE))
        if count.full:
            assert count.retry_after is not None
            assert 0 <= count.retry_after <= 65
            clock.now += count.retry_after
            assert (await take(made, Limit("n", 3, MINUTE))).full is None


@pytest.mark.parametrize(
    ("window", "begins", "ends"),
    [
        (Calendar("day"), "2026-03-05", "2026-03-06"),
        (Calendar("week"), "2026-03-02", "2026-03-09"),
        (Calendar("month"), "2026-03-01", "2026-04-01"),
    ],
)
def test_a_calendar_window_is_that_of_utc(window: Calendar, begins: str, ends: str) -> None:
    now = datetime(2026, 3, 5, 23, 59, tzinfo=UTC).timestamp()
    slot = window.slot(now)
    assert slot == window.oldest(now) == _at(begins)
    assert window.frees(slot) == _at(ends)


def _at(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


async def test_a_new_month_has_a_new_budget() -> None:
    clock = Clock(_at("2026-02-28") + 86_000)
    made, limit = counters(clock), Limit("tokens", 10, Calendar("month"), 10)
    assert (await take(made, limit)).full is None
    refused = await take(made, limit)
    assert refused.retry_after == pytest.approx(400)
    clock.now += 400
    assert (await take(made, limit)).full is None


async def test_counters_that_are_over_are_forgotten_and_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryStore, "most_counters", 1_500)
    clock = Clock()
    made = counters(clock)

    async def fill(names: Sequence[int]) -> None:
        for name in names:
            await take(made, Limit("n", 1, MINUTE, of=str(name)))

    await fill(range(1_200))
    clock.now += 100
    await fill(range(2_000, 3_500))
    with pytest.raises(CountersUnavailable, match="too many"):
        await fill([4_000])
    await fill([3_499])
