"""PolicyExecutor: runs a call's policies over its request and over the events of its answer."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from gateway.errors import RequestRefused
from policies.active import ActivePolicy
from policies.base import ANSWER_HOOKS, Call
from policies.content import Request
from policies.events import BlockEnd, End, Event
from policies.verdicts import Decision, Verdict

from .gate import Gate
from .items import Item, Notice, blocked_text, notice_text
from .judge import Judge
from .shadow import Shadow
from .stage import Stage

REQUEST_VERDICTS = 60.0
"""Seconds that the request's verdicts may take together: nothing can be sent to the client before them."""

_background: set[asyncio.Task[None]] = set()


class _Link(Protocol):
    """A link of the chain: Stage or Shadow."""

    judge: Judge

    @property
    def waits(self) -> bool: ...
    @property
    def judges_tool_calls(self) -> bool: ...
    @property
    def stopped(self) -> bool: ...
    async def feed(self, item: Item) -> list[Item]: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Answered:
    """A policy answered in the model's place. `blocked` tells its refusal from its own answer."""

    text: str
    blocked: bool


class PolicyExecutor:
    """The policies of one call, in ascending order.

    `record` takes each decision as it falls; `began` is the call's start by perf_counter; `link` leads to its page.
    """

    def __init__(
        self,
        activations: Sequence[ActivePolicy],
        call: Call,
        record: Callable[[Decision], None],
        *,
        began: float,
        link: str = "",
        binds_thinking: bool = False,
    ) -> None:
        self._call = call
        self._record = record
        self._began = began
        self._link = link
        self._binds_thinking = binds_thinking
        self._judges = [Judge(active, call, record, began) for active in activations]
        self.changed = False

    @property
    def activations(self) -> tuple[ActivePolicy, ...]:
        return tuple(judge.active for judge in self._judges)

    @property
    def enforces_answers(self) -> bool:
        """Whether a policy in force may hold or change the answer."""
        return any(_enforced(judge) and _answers(judge) for judge in self._judges)

    @property
    def held(self) -> float:
        """Seconds spent in enforced verdicts so far."""
        return sum(judge.held for judge in self._judges if _enforced(judge))

    async def check(self, request: Request) -> Request | Answered:
        """Run the request hooks. Raises RequestRefused."""
        until = perf_counter() + REQUEST_VERDICTS
        for position, judge in enumerate(self._judges):
            judge.call.request = request
            if not judge.policy.overrides("on_request"):
                continue
            if not _enforced(judge):
                _spawn(asyncio.create_task(_watch_request(judge, request)))
                continue
            verdict = await judge.ask("on_request", request, "request", until - perf_counter())
            match verdict.action:
                case "replace":
                    request = _same_call(verdict, request)
                case "reroute":
                    request = dataclasses.replace(request, model=verdict.model)
                case "block" | "stop" | "respond":
                    self._not_reached(position, "on_request", "request")
                    return self._answered(judge, verdict)
                case "refuse":
                    self._not_reached(position, "on_request", "request")
                    reason = verdict.reason or "refused"
                    message = f"The policy {judge.active.name} refused this request: {reason}"
                    raise RequestRefused(message, verdict.status, verdict.retry_after)
        for judge in self._judges:
            judge.call.request = request
        return request

    async def run(self, batches: AsyncGenerator[list[Event], None]) -> AsyncGenerator[list[Event], None]:
        """The answer as the client may have it: batches of events in, batches of released events out.

        Raises RetryAsked where a policy wants another model.
        """
        chain = [self._stage(judge) for judge in self._judges if _answers(judge)]
        async with aclosing(batches):
            if not chain:
                async for batch in batches:
                    yield batch
                return
            try:
                gate = self._gate(chain)
                async for batch in batches:
                    async with aclosing(self._through(chain, gate, batch)) as released:
                        async for events in released:
                            yield events
                    if any(link.stopped for link in chain) and self._call.request.choices == 1:
                        return
            finally:
                for link in chain:
                    link.close()

    async def end(self, outcome: str) -> None:
        """Tell every policy that the call is over."""
        for judge in self._judges:
            if judge.policy.overrides("on_end"):
                await judge.end(outcome)

    async def _through(
        self, chain: Sequence[_Link], gate: Gate, batch: Sequence[Event]
    ) -> AsyncGenerator[list[Event], None]:
        waits = any(link.waits for link in chain)
        ready: list[Event] = []
        for event in batch:
            if ready and waits and isinstance(event, BlockEnd | End):
                yield ready  # what is ready does not wait for a verdict on what follows
                ready = []
            items: list[Item] = [event]
            for link in chain:
                items = [made for item in items for made in await link.feed(item)]
            ready += gate.release(items)
        self.changed = gate.changed
        if ready:
            yield ready

    def _stage(self, judge: Judge) -> _Link:
        return Stage(judge) if _enforced(judge) else Shadow(judge, _spawn)

    def _gate(self, chain: Sequence[_Link]) -> Gate:
        holds_tools = any(link.judges_tool_calls for link in chain)
        return Gate(holds_tools, self._binds_thinking, self._notice, self._thinking_dropped)

    def _notice(self, notice: Notice) -> str:
        return notice_text(notice, self._call.id, self._link)

    def _thinking_dropped(self, by: ActivePolicy) -> None:
        reason = "it is signed over what a policy changed before it"
        at = (perf_counter() - self._began) * 1000
        self._record(Decision(by.name, by.version, by.mode, "on_thinking", "thinking", "dropped", reason, at))

    def _answered(self, judge: Judge, verdict: Verdict) -> Answered:
        if verdict.action == "respond":
            return Answered(verdict.text, blocked=False)
        text = blocked_text(judge.active.name, "this request", verdict.reason, self._call.id, self._link)
        return Answered(text, blocked=True)

    def _not_reached(self, position: int, hook: str, label: str) -> None:
        by = self._judges[position].active.name
        for judge in self._judges[position + 1 :]:
            if _enforced(judge) and judge.policy.overrides(hook):
                judge.decide(hook, label, "not_reached", f"blocked by {by}", perf_counter())


def _enforced(judge: Judge) -> bool:
    return judge.active.mode == "enforce"


def _answers(judge: Judge) -> bool:
    return any(judge.policy.overrides(hook) for hook in ANSWER_HOOKS)


def _same_call(verdict: Verdict, request: Request) -> Request:
    """A policy rewrites what is said, not how the answer travels."""
    assert isinstance(verdict.content, Request)
    return dataclasses.replace(verdict.content, stream=request.stream, choices=request.choices)


async def _watch_request(judge: Judge, request: Request) -> None:
    await judge.ask("on_request", request, "request")


def _spawn(task: asyncio.Task[None]) -> None:
    _background.add(task)
    task.add_done_callback(_background.discard)
