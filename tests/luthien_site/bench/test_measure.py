import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from luthien_site.bench import measure
from luthien_site.bench.client import CallFailed
from luthien_site.bench.measure import Target, percentile
from luthien_site.bench.processes import Child
from luthien_site.bench.provider import Replay, Tape


class Ourselves(Child):
    """This very process, as if it were the server."""

    def __init__(self) -> None:
        self.name = "ourselves"

    @property
    def pid(self) -> int:
        return os.getpid()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    tape = Tape()
    server = await asyncio.get_running_loop().create_server(lambda: Replay(tape), "127.0.0.1", 0)
    yield int(server.sockets[0].getsockname()[1])
    server.close()


def target(port: int, says: bytes = b"MARKedword") -> Target:
    return Target("provider", port, "openai", "demo/script", "none", says, Ourselves())


async def test_throughput_counts_calls_and_their_processor_time(port: int) -> None:
    figures = await measure.throughput(target(port), 4, 0.1)
    assert figures["calls_per_s"] > 0
    assert "cpu_us_per_call" in figures


async def test_a_direct_connection_has_no_processor_time(port: int) -> None:
    direct = Target("direct", port, "openai", "demo/script", "none", b"MARKedword")
    assert set(await measure.throughput(direct, 1, 0.1)) == {"calls_per_s"}
    assert await measure.memory(direct, 1, 0.1) == {}


async def test_latency_and_first_event_are_percentiles_of_an_open_loop(port: int) -> None:
    for instrument in (measure.latency, measure.first_event):
        figures = await instrument(target(port), 50.0, 0.1)
        assert 0 < figures["ms_p50"] <= figures["ms_p99"]


async def test_paced_events_are_counted_in_the_middle_of_their_streams(port: int) -> None:
    figures = await measure.paced_events(target(port), 3, 50.0, 0.2)
    assert figures["events_per_s"] > 0
    assert {"gap_ms_p50", "gap_ms_p99", "cpu_us_per_event"} < set(figures)


async def test_memory_is_taken_while_the_streams_are_open(port: int) -> None:
    figures = await measure.memory(target(port), 2, 0.1)
    assert figures["mb_before"] > 1
    assert figures["mb_with_streams"] > 1


async def test_nobody_measures_a_gateway_that_does_not_do_its_work(port: int) -> None:
    with pytest.raises(CallFailed, match="MARKEDWORD"):
        await measure.throughput(target(port, b"MARKEDWORD"), 1, 0.1)
    with pytest.raises(CallFailed, match="MARKEDWORD"):
        await measure.paced_events(target(port, b"MARKEDWORD"), 1, 50.0, 0.1)


def test_a_percentile_is_one_of_the_values() -> None:
    values = [5.0, 1.0, 3.0, 2.0, 4.0]
    assert percentile(values, 0.5) == 3.0
    assert percentile(values, 0.99) == 5.0
    assert percentile([7.0], 0.0) == 7.0
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)
