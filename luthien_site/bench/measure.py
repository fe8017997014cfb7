"""The instruments: each puts a load on one server for a while and returns its figures, a name to a number."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter

from luthien_site.bench.client import CallFailed, Pool, Reply, check
from luthien_site.bench.processes import Child
from luthien_site.bench.workload import SHORT_STREAM, WHOLE, Dialect, Requests, Script, paced

Figures = dict[str, float]
BEGIN_SECONDS = 60.0
"""How long a server may take until all streams have begun."""


@dataclass(frozen=True)
class Target:
    """A server under load. `child` is its process where its processor time and memory count; `says` is what each answer
    must contain, so that nobody measures a gateway that does not do its work."""

    name: str
    port: int
    dialect: Dialect
    model: str
    key: str
    says: bytes
    child: Child | None = None

    def requests(self, script: Script) -> Requests:
        return Requests(script, self.dialect, self.model, self.key)

    def verify(self, reply: Reply) -> None:
        """Raises CallFailed unless `reply` is a whole answer of the expected text."""
        check(reply)
        if self.says not in reply.body:
            raise CallFailed(f"{self.name} answered without {self.says.decode()!r}: {bytes(reply.body[:300])!r}")

    def cpu(self) -> float:
        return self.child.cpu() if self.child else 0.0


async def throughput(target: Target, concurrency: int, seconds: float) -> Figures:
    """Closed loop: `concurrency` clients, each with one unstreamed call after the other."""
    requests, pool = target.requests(WHOLE), Pool(target.port)
    stop = 0.0
    done = 0

    async def client() -> None:
        nonlocal done
        while perf_counter() < stop:
            await pool.call(requests.next())
            done += 1

    try:
        target.verify(await pool.call(requests.next()))
        stop = perf_counter() + min(1.0, seconds / 4)
        await asyncio.gather(*(client() for _ in range(concurrency)))
        done, cpu, began = 0, target.cpu(), perf_counter()
        stop = began + seconds
        await asyncio.gather(*(client() for _ in range(concurrency)))
        took = perf_counter() - began
    finally:
        pool.close()
    figures = {"calls_per_s": done / took}
    if target.child:
        figures["cpu_us_per_call"] = (target.cpu() - cpu) / done * 1e6
    return figures


async def latency(target: Target, rate: float, seconds: float) -> Figures:
    """Open loop, unstreamed: the time from when a call was due to its whole answer, in ms."""
    replies = await _at_rate(target, WHOLE, rate, seconds)
    return _percentiles("ms", [(reply.ended - due) * 1e3 for due, reply in replies])


async def first_event(target: Target, rate: float, seconds: float) -> Figures:
    """Open loop, streamed: the time from when a call was due to its first text event, in ms."""
    replies = await _at_rate(target, SHORT_STREAM, rate, seconds)
    return _percentiles("ms", [(reply.marks[0] - due) * 1e3 for due, reply in replies])


async def first_event_in_turn(target: Target, seconds: float) -> Figures:
    """Closed loop, streamed, one client: the time from a call to its first text event, in ms."""
    requests, pool = target.requests(SHORT_STREAM), Pool(target.port)
    replies: list[Reply] = []
    try:
        target.verify(await pool.call(requests.next()))
        stop = perf_counter() + seconds
        while perf_counter() < stop:
            replies.append(await pool.call(requests.next()))
    finally:
        pool.close()
    return _percentiles("ms", [(reply.marks[0] - reply.began) * 1e3 for reply in replies])


async def _at_rate(target: Target, script: Script, rate: float, seconds: float) -> list[tuple[float, Reply]]:
    """Calls at fixed times, whether those before are answered or not; each with when it was due."""
    requests, pool = target.requests(script), Pool(target.port)
    calls: list[tuple[float, asyncio.Task[Reply]]] = []
    try:
        for _ in range(3):
            target.verify(await pool.call(requests.next()))
        began = perf_counter() + 0.01
        for number in range(max(3, round(rate * seconds))):
            due = began + number / rate
            await asyncio.sleep(due - perf_counter())
            calls.append((due, asyncio.create_task(pool.call(requests.next()))))
        return [(due, await call) for due, call in calls]
    finally:
        for _, call in calls:
            call.cancel()
        pool.close()


async def paced_events(target: Target, streams: int, per_second: float, seconds: float) -> Figures:
    """`streams` answers at once, each of `per_second` events a second; what is measured is their middle."""
    async with _open_streams(target, streams, per_second, seconds) as replies:
        cpu, began = target.cpu(), perf_counter()
        await asyncio.sleep(seconds)
        # A server that cannot keep the pace is measured for as long as it takes to see some events.
        while perf_counter() < began + BEGIN_SECONDS and _since(replies, began) < streams:  # noqa: ASYNC110 (cheap, and rare)
            await asyncio.sleep(0.1)
        ended, cpu = perf_counter(), target.cpu() - cpu
    windows = [[mark for mark in reply.marks if began <= mark < ended] for reply in replies]
    events = sum(map(len, windows))
    gaps = [(after - before) * 1e3 for marks in windows for before, after in pairwise(marks)]
    figures = {"events_per_s": events / (ended - began)} | _percentiles("gap_ms", gaps)
    if target.child:
        figures["cpu_us_per_event"] = cpu / max(events, 1) * 1e6
    return figures


async def memory(target: Target, streams: int, seconds: float) -> Figures:
    """Resident memory in MB before and while `streams` answers of an event a second are open."""
    if target.child is None:
        return {}
    requests, pool = target.requests(SHORT_STREAM), Pool(target.port)
    try:
        target.verify(await pool.call(requests.next()))  # what the first stream alone needs is not counted
    finally:
        pool.close()
    before = target.child.memory()
    async with _open_streams(target, streams, 1.0, seconds) as replies:
        await asyncio.sleep(seconds)
        during = target.child.memory()
    return {
        "mb_before": before / 1e6,
        "mb_with_streams": during / 1e6,
        "kb_per_stream": (during - before) / len(replies) / 1e3,
    }


@asynccontextmanager
async def _open_streams(target: Target, streams: int, per_second: float, seconds: float) -> AsyncIterator[list[Reply]]:
    """Those of `streams` answers that have begun, all of them unless the server is too slow. Cut off on leaving.

    Raises CallFailed where one failed.
    """
    script = paced(round((seconds + BEGIN_SECONDS + 5) * per_second), 1 / per_second)
    requests, pool = target.requests(script), Pool(target.port)
    replies: list[Reply] = []
    try:
        for number in range(streams):
            # Not all at the same moment, or each event would meet all the others.
            await asyncio.sleep((number % 7 + 1) / 7 / per_second / streams + 0.002)
            replies.append((await pool.open()).begin(requests.next()))
        deadline = perf_counter() + BEGIN_SECONDS
        while not all(reply.marks for reply in replies) and perf_counter() < deadline:  # noqa: ASYNC110 (cheap, and rare)
            await asyncio.sleep(0.05)
        await asyncio.sleep(min(0.5, seconds))
        begun = [reply for reply in replies if reply.status]
        yield begun
    finally:
        pool.close()
    for reply in begun:
        target.verify(reply)


def _since(replies: Sequence[Reply], moment: float) -> int:
    """How many events have come since then."""
    return sum(len(reply.marks) - bisect_left(reply.marks, moment) for reply in replies)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed. Raises ValueError without any."""
    if not values:
        raise ValueError("there is no percentile of nothing")
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def _percentiles(name: str, values: Sequence[float]) -> Figures:
    if not values:
        raise CallFailed("no events came")
    return {f"{name}_p50": percentile(values, 0.5), f"{name}_p99": percentile(values, 0.99)}
