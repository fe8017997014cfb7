"""Proof: a hundred viewers of live activity see each event within a second, lose none, and slow no call.

One gateway, one worker. Clients begin calls at a steady rate, whatever became of those before: for a while with nobody
watching, then with all viewers, and so on in turn, so that what the machine does meanwhile falls on both alike. What
every viewer saw is compared with what the record tells of the calls, event by event.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

import uvloop
import yaml

from luthien_site.bench.client import CallFailed, Pool
from luthien_site.bench.gateway import MODEL, ROOT, Gateway, Setting
from luthien_site.bench.measure import percentile
from luthien_site.bench.postgres import Postgres
from luthien_site.bench.processes import Child
from luthien_site.bench.workload import Requests, Script
from luthien_site.proofs.registry import Finding, Order, Proof
from luthien_site.proofs.watchers import Watchers

VIEWERS = 100
CALLS_A_SECOND = 50
SECONDS = 20.0
LATEST = 1.0
"""Seconds within which an event is to be seen."""
SETTLE_SECONDS = 60.0
START_SECONDS = 60.0
TIMED = 10.0
"""Phases shorter than this (seconds) say nothing of time: only that nothing is lost."""
SCRIPT = Script(["pace 0.005", "repeat 12 MARKed ", 'tool run {"command": "make test"}'], stream=True)


@dataclass
class Calls:
    """How long calls took, in milliseconds, a list a phase; CPU seconds of the gateway; and what went wrong."""

    quiet: list[list[float]] = field(default_factory=list)
    watched: list[list[float]] = field(default_factory=list)
    cpu_quiet: float = 0.0
    cpu_watched: float = 0.0
    violations: list[str] = field(default_factory=list)


@dataclass
class Seen:
    """What the viewers of all rounds saw: events on record for each of them, what was lost of them, how many events
    they were told that there was no room for, and how late the latest came (seconds)."""

    events: int = 0
    lost: int = 0
    missed: int = 0
    latest: float = 0.0
    gone: int = 0


def run(order: Order, seconds: float = SECONDS, viewers: int = VIEWERS) -> Finding:
    """`order.rounds` times two phases, each of `seconds`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(order, seconds, viewers))


async def _run(order: Order, seconds: float, viewers: int) -> Finding:
    order.folder.mkdir(parents=True, mode=0o700)
    async with AsyncExitStack() as stack:
        gateway, reading, password = await _gateway(order, stack)
        pool = Pool(gateway.port)
        stack.callback(pool.close)
        requests = Requests(SCRIPT, "openai", MODEL, gateway.setting.key)
        calls, seen = Calls(), Seen()
        await _phase(pool, requests, 1.0, calls)
        await _settled(gateway)
        for number in range(order.rounds):
            order.say(f"Round {number + 1} of {order.rounds}: {seconds:g} s alone, {seconds:g} s watched ...")
            began = gateway.cpu()
            calls.quiet.append((await _phase(pool, requests, seconds, calls))[1])
            calls.cpu_quiet += gateway.cpu() - began
            async with Watchers(gateway.port, viewers, reading, password) as watchers:
                began = gateway.cpu()
                ids, took = await _phase(pool, requests, seconds, calls)
                calls.watched.append(took)
                calls.cpu_watched += gateway.cpu() - began
                await _compare(gateway, watchers, ids, seen)
        return finding(calls, seen, viewers, seconds)


async def _gateway(order: Order, stack: AsyncExitStack) -> tuple[Gateway, str, str]:
    """A gateway that serves, a key that reads, and the password of its admin."""
    provider = Child("The demo provider", order.folder / "provider.log")
    stack.callback(provider.kill)
    command = (sys.executable, ROOT / "manage.py", "demo_provider", "--port", str(provider.port))
    provider.spawn(command, os.environ, ROOT)
    await provider.ready("/v1/models")
    url = stack.enter_context(Postgres()).create("viewers") if order.postgres else ""
    password, reading = secrets.token_hex(16), f"reading-{secrets.token_hex(16)}"
    folder = order.folder / "gateway"
    more = {"LUTHIEN_ADMIN_PASSWORD": password, "LUTHIEN_CONFIG": str(folder / "config.yaml")}
    gateway = Gateway("The gateway", Setting(folder, provider.port, database_url=url, more=more))
    stack.callback(gateway.kill)
    config = yaml.safe_load(gateway.setting.config())
    config["keys"].append({"name": "reading", "key": reading, "read": True})
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    await gateway.manage("set_up")
    await gateway.start()
    return gateway, reading, password


async def _settled(gateway: Gateway) -> None:
    """Returns when the gateway has loaded what it loads behind its start: that would count as time of calls."""
    for _ in range(round(START_SECONDS)):
        before = gateway.cpu()
        await asyncio.sleep(1.0)
        if gateway.cpu() - before < 0.1:
            return


async def _phase(pool: Pool, requests: Requests, seconds: float, calls: Calls) -> tuple[list[str], list[float]]:
    """Calls at a steady rate for so long: their ids, and how many milliseconds each took."""
    ids: list[str] = []
    took: list[float] = []

    async def call() -> None:
        try:
            reply = await pool.call(requests.next())
        except CallFailed as error:
            calls.violations.append(f"a call failed: {error}")
            return
        ids.append(reply.call_id)
        took.append((reply.ended - reply.began) * 1000)

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(round(seconds * CALLS_A_SECOND)):
            await asyncio.sleep(max(0.0, began + number / CALLS_A_SECOND - perf_counter()))
            group.create_task(call())
    return ids, took


async def _compare(gateway: Gateway, watchers: Watchers, ids: list[str], seen: Seen) -> None:
    told = {id.encode() for id in await _told(gateway, ids)}
    await watchers.all_saw(told, SETTLE_SECONDS)
    seen.events += len(told)
    seen.gone += watchers.gone
    for each in watchers.all:
        seen.lost += len(told - each.seen)
        seen.missed += each.missed
        seen.latest = max(seen.latest, each.latest)


async def _told(gateway: Gateway, ids: list[str]) -> list[str]:
    """The ids of all events that the record tells of the calls, by a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "luthien_site.proofs.told"),
        cwd=ROOT,
        env=gateway.setting.env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    answer, _ = await process.communicate(json.dumps(ids).encode())
    told: list[str] = json.loads(answer)
    return told


def finding(calls: Calls, seen: Seen, viewers: int, seconds: float) -> Finding:
    """Noise is how far the halves of the phases without viewers are apart from each other."""
    counts = {
        "viewers, half over websockets, half over server-sent events": viewers,
        "calls while nobody watched": sum(map(len, calls.quiet)),
        "calls while all watched": sum(map(len, calls.watched)),
        "events on record, for each viewer": seen.events,
        "events lost, of all viewers": seen.lost,
        "events that viewers were told there was no room for": seen.missed,
        "ms until the latest event was seen": round(seen.latest * 1000),
    }
    for name, phases, cpu in (("nobody", calls.quiet, calls.cpu_quiet), ("all", calls.watched, calls.cpu_watched)):
        counts[f"us of CPU a call, {name} watching"] = round(cpu * 1_000_000 / max(1, sum(map(len, phases))))
    halves = [half for phase in calls.quiet for half in (phase[: len(phase) // 2], phase[len(phase) // 2 :])]
    violations = list(calls.violations)
    if seen.lost:
        violations.append(f"{seen.lost} events were not seen by everybody")
    if seen.gone:
        violations.append(f"{seen.gone} viewers were sent away")
    for name, share in (("median", 0.5), ("p95", 0.95)):
        quiet = [percentile(phase, share) for phase in calls.quiet]
        watched = [percentile(phase, share) for phase in calls.watched]
        apart = [percentile(half, share) for half in halves]
        slower, noise = median(watched) - median(quiet), max(apart) - min(apart)
        counts |= {
            f"us a call, {name}, nobody watching": round(median(quiet) * 1000),
            f"us a call, {name}, all watching": round(median(watched) * 1000),
            f"us apart, {name}, halves of phases with nobody watching": round(noise * 1000),
        }
        if seconds >= TIMED and slower > noise:
            violations.append(f"calls were slower by {slower:.1f} ms ({name}); noise was {noise:.1f} ms")
    if seconds >= TIMED and seen.latest > LATEST:
        violations.append(f"an event was seen after {seen.latest:.1f} s")
    return Finding(counts, violations)


PROOF = Proof(
    name="viewers",
    claim="A hundred viewers see every event within a second and lose none, and no call is slower for it.",
    rounds=3,
    run=run,
)
