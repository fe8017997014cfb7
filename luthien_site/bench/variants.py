"""Scenarios in which a call goes another way: what each server is then asked, and which servers take part."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Literal

from luthien_site.bench.client import CallFailed, Pool
from luthien_site.bench.measure import Target
from luthien_site.bench.processes import DidNotStart
from luthien_site.bench.report import BLOCKING, DIRECT, IN_PROCESS, LUTHIEN, MODES, NO_POLICY, PEER, RELAY, STACKS
from luthien_site.bench.workload import WHOLE

Way = Literal["", "litellm", "responses", "cross", "policies", "record", "session", "in process"]
"""In order: as it comes; through litellm as a library; the Responses API; Anthropic's clients on an OpenAI provider;
gateways that differ in how many policies are in force; gateways that differ in LUTHIEN_RECORD; what the record of one
takes; no server at all."""
ANY_DIALECT = frozenset[Way](("", "policies", "record", "session", "in process"))
"""The ways that do not take OpenAI's Chat Completions on one side."""
THROUGH = "through litellm"
"""A gateway of its own, because litellm takes 200 MB that the others are not to be charged with."""
WARM_SECONDS = 120.0


def suited(way: Way, targets: Sequence[Target]) -> list[Target]:
    """The servers that are measured `way`, in the order of `targets`, each as it is then asked."""
    match way:
        case "litellm":
            taking_part = [each for each in targets if each.name in (DIRECT, THROUGH, PEER)]
            return [replace(each, name=LUTHIEN) if each.name == THROUGH else each for each in taking_part]
        case "responses":
            return [replace(each, dialect="responses") for each in suited("", targets) if each.name != RELAY]
        case "cross":
            usual = [each for each in suited("", targets) if each.name != RELAY]
            return [each if each.name == DIRECT else replace(each, dialect="anthropic") for each in usual]
        case "policies":
            one = {LUTHIEN: "1 policy"}
            named = [replace(each, name=one.get(each.name, each.name)) for each in targets]
            return [each for each in named if each.name in (NO_POLICY, *STACKS)]
        case "record":
            ours = {NO_POLICY: BLOCKING}
            named = [replace(each, name=ours.get(each.name, each.name)) for each in targets]
            return [each for each in named if each.name in (DIRECT, BLOCKING, *MODES)]
        case "session":
            return [each for each in targets if each.name == NO_POLICY]
        case "in process":
            return [replace(targets[0], name=IN_PROCESS, child=None)]
    return [each for each in targets if each.name not in (THROUGH, *STACKS, *MODES)]


async def warm_up(target: Target) -> None:
    """Returns when `target` has loaded what it needs for its first answer. Raises DidNotStart."""
    requests, deadline = target.requests(WHOLE), perf_counter() + WARM_SECONDS
    while True:
        pool = Pool(target.port)
        try:
            target.verify(await pool.call(requests.next()))
            return
        except CallFailed as failure:
            if perf_counter() > deadline:
                raise DidNotStart(f"The gateway did not warm up: {failure}") from None
            await asyncio.sleep(0.5)
        finally:
            pool.close()
