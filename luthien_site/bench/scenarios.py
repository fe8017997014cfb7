"""What is measured: each scenario is an instrument with its load, at full length and quick."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from luthien_site.bench import measure, parsing, session, worker
from luthien_site.bench.measure import Figures, Target
from luthien_site.bench.variants import Way


@dataclass(frozen=True)
class Scenario:
    """`run` puts the load on one target; `rounds` is how often, as far as the bench repeats anything."""

    name: str
    title: str
    run: Callable[[Target], Awaitable[Figures]]
    once: bool = False
    way: Way = ""


RATE = 20.0
STREAM_RATE = 5.0
"""Calls a second of the open loops, less than half of what the slowest peer can take: nobody is measured in a queue."""


def full(seconds: float) -> list[Scenario]:
    """The scenarios, each round of each target `seconds` long."""
    return [
        # First, before anything else has made the servers grow.
        Scenario("memory", "200 slow streams", lambda t: measure.memory(t, 200, 3.0), once=True),
        *(throughput(concurrency, seconds) for concurrency in (1, 16, 64)),
        *other_ways(16, seconds),
        Scenario(
            "latency", f"Unstreamed answers at {RATE:.0f} calls a second", lambda t: measure.latency(t, RATE, seconds)
        ),
        Scenario(
            "first_event",
            f"First event of streams at {STREAM_RATE:.0f} calls a second",
            lambda t: measure.first_event(t, STREAM_RATE, seconds),
        ),
        Scenario(
            "first_event_1",
            "First event of streams, 1 client, one after the other",
            lambda t: measure.first_event_in_turn(t, seconds),
        ),
        Scenario(
            "paced",
            "64 streams of 100 events a second",
            lambda t: measure.paced_events(t, 64, 100.0, seconds),
        ),
        # What a peer can bear that cannot keep the pace of 64.
        Scenario("paced_4", "4 streams of 100 events a second", lambda t: measure.paced_events(t, 4, 100.0, seconds)),
        *of_policies(16, 16, 100.0, seconds),
        *of_the_record(16, seconds, 100, 2000),
    ]


def quick() -> list[Scenario]:
    """The same instruments, so short that their figures mean little."""
    return [
        Scenario("memory", "4 slow streams", lambda t: measure.memory(t, 4, 0.2), once=True),
        throughput(4, 0.3),
        *other_ways(4, 0.3),
        Scenario("latency", "Unstreamed answers at 20 calls a second", lambda t: measure.latency(t, RATE, 0.3)),
        Scenario("first_event", "First event of streams", lambda t: measure.first_event(t, RATE, 0.3)),
        Scenario("first_event_1", "First event of streams, 1 client", lambda t: measure.first_event_in_turn(t, 0.3)),
        Scenario("paced", "4 streams of 50 events a second", lambda t: measure.paced_events(t, 4, 50.0, 0.3)),
        *of_policies(4, 4, 50.0, 0.3),
        *of_the_record(4, 0.3, 5, 5),
    ]


def of_policies(clients: int, streams: int, per_second: float, seconds: float) -> list[Scenario]:
    """What policies cost: 0, 1, 3 and 10 of them a call and an event, and what those for tools have to parse."""
    calls = throughput(clients, seconds)
    return [
        replace(calls, name="policies_calls", title="0, 1, 3 and 10 policies, unstreamed", way="policies"),
        Scenario(
            "policies_events",
            "0, 1, 3 and 10 policies, streamed",
            lambda t: measure.paced_events(t, streams, per_second, seconds),
            way="policies",
        ),
        Scenario("shell_parse", "Reading a shell command", lambda t: parsing.shell_parse(seconds), way="in process"),
        Scenario("sql_parse", "Parsing an SQL statement", lambda t: parsing.sql_parse(seconds), way="in process"),
    ]


def of_the_record(clients: int, seconds: float, turns: int, indexed: int) -> list[Scenario]:
    """What each way to record costs a call, what a session takes on disk, and what it is to index `indexed` calls."""
    calls = throughput(clients, seconds)
    return [
        replace(calls, name="record_calls", title=f"Ways to record, {clients} clients", way="record"),
        Scenario(
            "record_latency",
            f"Ways to record, {RATE:.0f} calls a second",
            lambda t: measure.latency(t, RATE, seconds),
            way="record",
        ),
        Scenario(
            "record_session",
            f"A session of {turns} turns on disk",
            lambda t: session.session_bytes(t, turns),
            once=True,
            way="session",
        ),
        Scenario(
            "index",
            f"Indexing {indexed} calls for the search",
            lambda t: worker.index_cpu(t, indexed),
            once=True,
            way="session",
        ),
    ]


def other_ways(concurrency: int, seconds: float) -> list[Scenario]:
    """Unstreamed calls that do not go straight from an OpenAI client to an OpenAI provider."""
    responses, cross = throughput(concurrency, seconds), throughput(concurrency, seconds)
    return [
        replace(responses, name=f"responses_{concurrency}", title=f"Responses, {concurrency} clients", way="responses"),
        replace(cross, name=f"cross_{concurrency}", title=f"Messages to OpenAI, {concurrency} clients", way="cross"),
        replace(throughput(1, seconds), name="litellm_1", title="Through litellm, 1 client", way="litellm"),
    ]


def throughput(concurrency: int, seconds: float) -> Scenario:
    clients = "1 client" if concurrency == 1 else f"{concurrency} clients"
    return Scenario(
        f"calls_{concurrency}",
        f"Unstreamed calls, {clients}",
        lambda t: measure.throughput(t, concurrency, seconds),
    )
