"""Starts what is compared, puts every scenario on each of them in turn, and stops them."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from luthien_site import bootstrap
from luthien_site.bench import litellm_proxy, worker
from luthien_site.bench.client import CallFailed
from luthien_site.bench.gateway import MODEL, ROOT, UPPERCASE, Gateway, Setting, stack
from luthien_site.bench.measure import Target
from luthien_site.bench.postgres import Postgres
from luthien_site.bench.processes import Child, DidNotStart, cores, on_core
from luthien_site.bench.relay import RelayServer
from luthien_site.bench.report import DIRECT, LUTHIEN, MODES, NO_POLICY, PEER, RELAY, STACKS, Results, Round
from luthien_site.bench.scenarios import Scenario
from luthien_site.bench.variants import THROUGH, suited, warm_up
from luthien_site.bench.workload import WORD, Dialect

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What a run is to be. `folder` is the bench's own; a run's data in it go with the run."""

    folder: Path
    scenarios: Sequence[Scenario]
    rounds: int = 3
    dialect: Dialect = "openai"
    postgres: bool = False
    record: str = "blocking"
    peers: bool = True


def run(plan: Plan, say: Say) -> Results:
    """All scenarios of the plan. `say` is told what goes on. Raises DidNotStart, CallFailed."""
    core, gateway_core = cores()
    gc.collect()
    # What Django loaded stays: a collection that walks it would be seen in the latencies.
    gc.freeze()
    with on_core(core), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(plan, gateway_core, say))


async def _run(plan: Plan, core: int | None, say: Say) -> Results:
    notes = [] if core is not None else ["There is one core only: the load and the gateway share it."]
    results = Results({each.name: each.title for each in plan.scenarios}, {}, notes)
    async with _targets(plan, core, say, notes) as targets:
        for scenario in plan.scenarios:
            rounds: list[Round] = []
            for number in range(1 if scenario.once else plan.rounds):
                say(f"{scenario.title}, round {number + 1} ...")
                # One after the other within the round, so that a machine that changes its pace changes it for all.
                figures = {}
                for target in suited(scenario.way, targets):
                    with _alone(target, targets):
                        figures[target.name] = await _measured(scenario, target, notes)
                rounds.append(figures)
            results.rounds[scenario.name] = rounds
    return results


@contextmanager
def _alone(target: Target, targets: Sequence[Target]) -> Iterator[None]:
    """Meanwhile all other servers stand still: what one has left to do would be taken from the next one's time."""
    others = [each.child for each in targets if each.child is not None and each.child is not target.child]
    for child in others:
        child.halt()
    try:
        yield
    finally:
        for child in others:
            child.go_on()


async def _measured(scenario: Scenario, target: Target, notes: list[str]) -> dict[str, float]:
    """The figures, none where the peer fails under the load, which is a finding; ours may not."""
    try:
        return await scenario.run(target)
    except CallFailed as failure:
        sentence = f"{scenario.title}, {target.name}: {failure}"
        if target.name != PEER:
            raise CallFailed(sentence) from None
        notes.append(sentence)
        return {}


@asynccontextmanager
async def _targets(plan: Plan, core: int | None, say: Say, notes: list[str]) -> AsyncIterator[list[Target]]:
    """The servers to measure, running; ended on leaving, with all that they stored."""
    data = plan.folder / f"run-{os.getpid()}"
    data.mkdir(parents=True, mode=0o700)
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, data, ignore_errors=True)
        provider = Child("The provider", data / "provider.log")
        stack.callback(provider.kill)
        provider.spawn([sys.executable, "-m", "luthien_site.bench.provider", str(provider.port)], os.environ, ROOT)
        await provider.ready("/")
        say("Starting the gateways ...")
        database = stack.enter_context(Postgres()) if plan.postgres else None
        untouched = WORD.strip().encode()
        targets = [Target(DIRECT, provider.port, plan.dialect, "demo/script", "none", untouched)]
        for name, policies in _gateways(plan):
            url = database.create(name.replace(" ", "_")) if database else ""
            folder = data / name.replace(" ", "-")
            through = name == THROUGH
            mode = MODES.get(name, plan.record)
            setting = Setting(folder, provider.port, plan.dialect, policies, url, mode, core, through)
            gateway = Gateway(f"The gateway ({name})", setting)
            stack.callback(gateway.stop)
            await gateway.prepare()
            worker.announce(setting)
            await gateway.start()
            says = untouched.upper() if policies else untouched
            targets.append(Target(name, gateway.port, plan.dialect, MODEL, setting.key, says, gateway))
            if through:
                await warm_up(targets[-1])
        relay = RelayServer(data / "relay.log", provider.port, core)
        stack.callback(relay.kill)
        await relay.start()
        targets.append(Target(RELAY, relay.port, plan.dialect, "demo/script", "none", untouched, relay))
        if peer := await _peer(plan, data, provider.port, core, stack, say, notes):
            targets.append(peer)
        yield targets


def _gateways(plan: Plan) -> list[tuple[str, list[dict[str, Any]]]]:
    """The names of ours, each with its policies."""
    ways = {scenario.way for scenario in plan.scenarios}
    more = [(THROUGH, [UPPERCASE])] if "litellm" in ways else []
    if "policies" in ways:
        more += [(name, stack(size)) for name, size in STACKS.items() if size > 1]
    if "record" in ways:
        more += [(mode, []) for mode in MODES]
    return [(LUTHIEN, [UPPERCASE]), (NO_POLICY, []), *more]


async def _peer(
    plan: Plan, data: Path, provider: int, core: int | None, stack: AsyncExitStack, say: Say, notes: list[str]
) -> Target | None:
    if not plan.peers or plan.dialect != "openai":
        notes.append("There are no ratios: LiteLLM's proxy is left out, as it is where the dialect is not OpenAI's.")
        return None
    say("Preparing LiteLLM's proxy ...")
    try:
        venv = await asyncio.to_thread(litellm_proxy.install, bootstrap.Place(ROOT), plan.folder)
        proxy = litellm_proxy.LiteLLMProxy(venv, data / "litellm", provider, core)
        stack.callback(proxy.stop)
        await proxy.start()
    except litellm_proxy.NotInstalled as reason:
        notes.append(str(reason))
        return None
    except DidNotStart as reason:
        notes.append(f"LiteLLM's proxy is left out. {reason}")
        return None
    model, key = litellm_proxy.MODEL, litellm_proxy.KEY
    return Target(PEER, proxy.port, "openai", model, key, WORD.strip().encode(), proxy)
