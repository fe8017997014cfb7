"""Proof: whatever a client holds is on record, wherever the gateway was killed.

Lanes run beside each other, each with a gateway and a database of its own: clients ask for streamed and unstreamed
answers with tool calls until the gateway is killed by SIGKILL, at a random moment; it starts again, and every complete
tool call and every complete answer that a client had received by then must be on record, and no call may stay open.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import uvloop

from luthien_site import environment
from luthien_site.bench.client import Pool
from luthien_site.bench.gateway import ROOT, Setting
from luthien_site.bench.postgres import Postgres
from luthien_site.bench.processes import Child
from luthien_site.bench.workload import Dialect
from luthien_site.proofs.clients import CLIENTS, Clients
from luthien_site.proofs.ledger import Ledger
from luthien_site.proofs.nursery import ForkedGateway
from luthien_site.proofs.registry import Finding, Order, Proof
from observability.rows import database

LIFE_SECONDS = (0.05, 0.7)
"""How long a gateway serves before it is killed; every second one from when a client holds a tool call of its."""
FIRST_ANSWER_SECONDS = 30.0
ORPHAN_SECONDS = 20.0
_POLICY = {"name": "tools", "policy": "block_dangerous_commands", "config": {}, "mode": "enforce"}


@dataclass
class Lane:
    """One gateway, its clients, and what is on its record."""

    gateway: ForkedGateway
    ledger: Ledger
    clients: Clients
    kills: int = 0
    violations: list[str] = field(default_factory=list)

    async def run(self, rounds: Iterator[int], order: Order) -> None:
        """Takes round after round until none is left, then checks the last one on a gateway that lives on."""
        for number in rounds:
            await self.gateway.start()
            await self._check()
            await self._serve_until_killed()
            if number % 10 == 9:
                order.say(f"{number + 1} of {order.rounds} rounds ...")
        await self.gateway.start()
        await self._check()
        await self.gateway.close()
        self.violations += [f"{call} has an outcome and no end" for call in self.ledger.unclosed()]
        self.violations += [*self.clients.violations, *self._unbalanced()]

    async def _serve_until_killed(self) -> None:
        pool = Pool(self.gateway.port)
        calls = [asyncio.create_task(self.clients.call(pool, number)) for number in range(CLIENTS)]
        if self.kills % 2:
            await self._answered()
        await asyncio.sleep(random.uniform(*LIFE_SECONDS))  # noqa: S311 (no secret)
        await self.gateway.crash()
        self.kills += 1
        await asyncio.gather(*calls)
        pool.close()

    async def _answered(self) -> None:
        """Waits for a first answer with a tool call: a slow machine has none in so short a life."""
        before = self.clients.tools
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_ANSWER_SECONDS):
                while self.clients.tools == before:  # noqa: ASYNC110 (a client is told, and has no event for it)
                    await asyncio.sleep(0.01)

    async def _check(self) -> None:
        """Compares with the record what the clients got before the last kill."""
        claims = self.clients.take_claims()
        deadline = time.monotonic() + ORPHAN_SECONDS
        while orphans := self.ledger.orphans(self.gateway.pid):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.02)
        self.violations += [f"{call} is open and its gateway is dead" for call in orphans]
        for claim in claims:
            self.violations += self.ledger.missing(claim)

    def _unbalanced(self) -> list[str]:
        clients, outcomes = self.clients, self.ledger.outcomes()
        recorded, finished = sum(outcomes.values()), outcomes.get("finished", 0)
        found = []
        if not clients.heads <= recorded <= clients.sent:
            found.append(f"{clients.sent} calls were sent, {clients.heads} answered, and {recorded} are on record")
        if finished < clients.complete:
            found.append(f"{clients.complete} answers came whole, and {finished} are on record as finished")
        return found


def run(order: Order) -> Finding:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(order))


async def _run(order: Order) -> Finding:
    order.folder.mkdir(parents=True, mode=0o700)
    async with AsyncExitStack() as stack:
        provider = Child("The demo provider", order.folder / "provider.log")
        stack.callback(provider.kill)
        command = (sys.executable, ROOT / "manage.py", "demo_provider", "--port", str(provider.port))
        provider.spawn(command, os.environ, ROOT)
        await provider.ready("/v1/models")
        server = stack.enter_context(Postgres()) if order.postgres else None
        dialects: tuple[Dialect, ...] = ("openai", "anthropic")
        lanes = [await _lane(order, provider.port, dialect, server, stack) for dialect in dialects]
        # Shared: a lane that is quicker takes more of them.
        rounds = iter(range(order.rounds))
        await asyncio.gather(*(lane.run(rounds, order) for lane in lanes))
        return _finding(lanes)


async def _lane(
    order: Order, provider_port: int, dialect: Dialect, server: Postgres | None, stack: AsyncExitStack
) -> Lane:
    folder = order.folder / dialect
    url = server.create(dialect) if server else ""
    # One lane holds tool calls for a policy, the other lets them pass: two ways to their release.
    policies = [_POLICY] if dialect == "anthropic" else []
    gateway = ForkedGateway(f"The gateway ({dialect})", Setting(folder, provider_port, dialect, policies, url))
    stack.push_async_callback(gateway.close)
    await gateway.prepare()
    ledger = Ledger(database.connect(environment.database(url, folder / "luthien.sqlite3")))
    stack.callback(ledger.close)
    return Lane(gateway, ledger, Clients(dialect, gateway.setting.key))


def _finding(lanes: list[Lane]) -> Finding:
    counts = {
        "kills": sum(lane.kills for lane in lanes),
        "calls sent": sum(lane.clients.sent for lane in lanes),
        "answers begun": sum(lane.clients.heads for lane in lanes),
        "answers received whole": sum(lane.clients.complete for lane in lanes),
        "tool calls received whole": sum(lane.clients.tools for lane in lanes),
    }
    for lane in lanes:
        for outcome, number in lane.ledger.outcomes().items():
            counts[f"on record as {outcome}"] = counts.get(f"on record as {outcome}", 0) + number
    return Finding(counts, [violation for lane in lanes for violation in lane.violations])


PROOF = Proof(
    name="crash",
    claim="Killed at any moment, the gateway leaves no complete answer or tool call that a client got off the record.",
    rounds=500,
    run=run,
)
