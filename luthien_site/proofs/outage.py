"""Proof: with the database away calls go on, and when it is back the record has all of them, in their order.

Two gateways, one in `blocking` and one in `async`, record in one real PostgreSQL. Time after time it is stopped, or
frozen so that it takes connections and never answers; every third time the gateway in `blocking` is killed by SIGKILL
meanwhile. No call may fail for it. Afterwards all that clients hold must be on record, and the audit must verify.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import uvloop

from luthien_site import environment
from luthien_site.bench.client import Pool
from luthien_site.bench.gateway import ROOT, Setting
from luthien_site.bench.postgres import Postgres
from luthien_site.bench.processes import Child, DidNotStart
from luthien_site.proofs.clients import CLIENTS, Clients
from luthien_site.proofs.ledger import Claim, Ledger
from luthien_site.proofs.nursery import ForkedGateway
from luthien_site.proofs.registry import Finding, Order, Proof
from luthien_site.proofs.scrape import gauge
from observability.rows import database

AWAY_SECONDS = 100.0
AROUND_SECONDS = 0.5
"""How long the load goes on before and after."""
PAUSE = 0.2
"""Between the calls of a client: the gateway is to have time to spare for what waits."""
DRAIN_SECONDS = 60.0
KINDS = ("stopped", "frozen", "stopped, and the gateway killed")


@dataclass
class Lane:
    """One gateway, its clients, and what is on its record."""

    gateway: ForkedGateway
    ledger: Ledger
    clients: Clients
    peak: int = 0
    slowest: float = float("inf")
    violations: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Clients call until the end of the block."""
        pool = Pool(self.gateway.port)
        calls = [asyncio.create_task(self.clients.call(pool, number, PAUSE)) for number in range(CLIENTS)]
        try:
            yield
        finally:
            pool.close()
            await asyncio.gather(*calls)

    async def drained(self, began: float, ended: float) -> None:
        """Returns when nothing waits on disk any more, and notes how many times as fast as it came."""
        while waiting := await gauge(self.gateway.port, "luthien_spill_bytes"):
            if time.monotonic() > ended + DRAIN_SECONDS:
                self.violations.append(f"{waiting:.0f} bytes still wait {DRAIN_SECONDS:.0f} s after the outage")
                return
            await asyncio.sleep(0.02)
        now = time.monotonic()
        self.slowest = min(self.slowest, (now - began) / (now - ended))

    async def check(self) -> None:
        """Compare with the record what the clients hold; what has just ended may be a moment late."""
        self.ledger.close()  # its connection went with the server
        claims = self.clients.take_claims()
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._is_late(claims) and time.monotonic() < deadline:  # noqa: ASYNC110 (another process writes)
            await asyncio.sleep(0.1)
        self.violations += [f"{call} is open and its gateway is dead" for call in self.ledger.orphans(self.gateway.pid)]
        for claim in claims:
            self.violations += self.ledger.missing(claim)

    def _is_late(self, claims: list[Claim]) -> bool:
        last = claims[-CLIENTS:]
        return bool(self.ledger.orphans(self.gateway.pid)) or any(self.ledger.missing(claim) for claim in last)

    async def audit(self) -> None:
        """The gateway has ended by now."""
        self.violations += self.clients.violations
        self.violations += [f"{call} has an outcome and no end" for call in self.ledger.unclosed()]
        self.violations += self.ledger.out_of_order()
        try:
            await self.gateway.manage("verify_audit", "--bodies")
        except DidNotStart as report:
            self.violations.append(str(report))


def run(order: Order, seconds: float = AWAY_SECONDS) -> Finding:
    """`order.rounds` outages, each of `seconds`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(order, seconds))


async def _run(order: Order, seconds: float) -> Finding:
    order.folder.mkdir(parents=True, mode=0o700)
    async with AsyncExitStack() as stack:
        provider = Child("The demo provider", order.folder / "provider.log")
        stack.callback(provider.kill)
        provider.spawn(
            (sys.executable, ROOT / "manage.py", "demo_provider", "--port", str(provider.port)), os.environ, ROOT
        )
        await provider.ready("/v1/models")
        server = stack.enter_context(Postgres())
        lanes = [await _lane(order, provider.port, mode, server, stack) for mode in ("blocking", "async")]
        for number in range(order.rounds):
            kind = KINDS[number % len(KINDS)]
            order.say(f"Outage {number + 1} of {order.rounds}: {kind}, {seconds:g} s ...")
            await _outage(kind, seconds, server, lanes)
            for lane in lanes:
                await lane.check()
        for lane in lanes:
            await lane.gateway.leave()
            await lane.audit()
        return _finding(order, lanes)


async def _outage(kind: str, seconds: float, server: Postgres, lanes: list[Lane]) -> None:
    blocking = lanes[0].gateway
    async with AsyncExitStack() as loads:
        for lane in lanes:
            await loads.enter_async_context(lane.load())
        await asyncio.sleep(AROUND_SECONDS)
        (server.freeze if kind == "frozen" else server.stop)()
        began = time.monotonic()
        await asyncio.sleep(seconds)
        for lane in lanes:
            lane.peak = max(lane.peak, int(await gauge(lane.gateway.port, "luthien_spill_bytes")))
        if "killed" in kind:
            await blocking.crash()
        if kind == "frozen":
            server.thaw()
        else:
            await asyncio.to_thread(server.start)
        ended = time.monotonic()
        survivors = [lane for lane in lanes if lane.gateway.alive]
        if not blocking.alive:
            await blocking.start()
        await asyncio.gather(*(lane.drained(began, ended) for lane in survivors))
        await asyncio.sleep(AROUND_SECONDS)


async def _lane(order: Order, provider_port: int, mode: str, server: Postgres, stack: AsyncExitStack) -> Lane:
    folder, url = order.folder / mode, server.create(mode)
    gateway = ForkedGateway(f"The gateway ({mode})", Setting(folder, provider_port, database_url=url, record=mode))
    stack.push_async_callback(gateway.close)
    await gateway.prepare()
    await gateway.start()
    ledger = Ledger(database.connect(environment.database(url, folder / "luthien.sqlite3")))
    stack.callback(ledger.close)
    return Lane(gateway, ledger, Clients("openai", gateway.setting.key))


def _finding(order: Order, lanes: list[Lane]) -> Finding:
    counts = {"outages": order.rounds}
    for lane in lanes:
        mode, clients = lane.gateway.setting.record, lane.clients
        counts |= {
            f"calls sent ({mode})": clients.sent,
            f"answers received whole ({mode})": clients.complete,
            f"on record ({mode})": sum(lane.ledger.outcomes().values()),
            f"bytes in the journal at most ({mode})": lane.peak,
            f"times the arrival rate, drained ({mode})": int(min(lane.slowest, 1e6)),
        }
    return Finding(counts, [violation for lane in lanes for violation in lane.violations])


PROOF = Proof(
    name="outage",
    claim="With PostgreSQL stopped or silent, calls go on and nothing of them is lost, also if the gateway is killed.",
    rounds=6,
    run=run,
)
