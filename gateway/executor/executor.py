"""PolicyExecutor: runs a call's policies over its request and over the events of its answer."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import NamedTuple

from gateway.errors import RequestRefused
from policies.active import ActivePolicy
from policies.base import ANSWER_HOOKS, Call
from policies.content import NO_USAGE, Request, Usage
from policies.verdicts import Decision, Verdict

from .chain import Chain
from .gate import Gate
from .items import Why, blocked_text, untold
from .judge import Judge
from .link import Link
from .shadow import Shadow
from .stage import Stage
from .stopwatch import Stopwatch
from .watch import Watch
from .whole_answer import WholeAnswer

REQUEST_VERDICTS = 60.0
"""Seconds that the request's verdicts may take together: nothing can be sent to the client before them."""

Record = Callable[[Decision], None]
_BLOCK_HOOKS = ANSWER_HOOKS - {"on_event", "on_answer"}


@dataclass(frozen=True, slots=True)
class Answered:
    """A policy answered in the model's place. `blocked` tells its refusal from its own answer."""

    text: str
    blocked: bool


class Spent(NamedTuple):
    """What a call used, as far as it is known; `cost` is in micro-dollars, `is_whole` says that nothing is missing."""

    usage: Usage
    cost: int | None
    is_whole: bool


NOTHING_SPENT = Spent(NO_USAGE, None, True)


class PolicyExecutor:
    """The policies of one call, in ascending order.

    `record` takes each decision as it falls; `began` is the call's start by perf_counter; `why` is for notices;
    `binds_thinking` says that the upstream signs thinking over what stands before it.
    """

    def __init__(
        self,
        activations: Sequence[ActivePolicy],
        call: Call,
        record: Record,
        *,
        began: float,
        why: Why = untold,
        binds_thinking: bool = False,
    ) -> None:
        self._call = call
        self._request = call.request
        self._record = record
        self._began = began
        self._why = why
        self.binds_thinking = binds_thinking
        self._held = Stopwatch()
        self._gate: Gate | None = None
        self._judges: list[Judge] = []
        self._unasked: list[Judge] = []
        self._shadows: dict[Judge, Shadow] = {}
        self.join(activations)

    @property
    def activations(self) -> tuple[ActivePolicy, ...]:
        return tuple(judge.active for judge in self._judges)

    @property
    def changed(self) -> bool:
        """Whether a policy altered, dropped or added anything of what has been released so far."""
        return self._gate is not None and self._gate.changed

    @property
    def enforces_requests(self) -> bool:
        """Whether a policy in force reads the request."""
        return any(judge.enforces and judge.wants("on_request") for judge in self._judges)

    @property
    def withholds(self) -> bool:
        """Whether a policy in force wants the original of what is changed kept off the record."""
        return any(judge.enforces and judge.active.redacted for judge in self._judges)

    @property
    def held(self) -> float:
        """Seconds spent in enforced verdicts so far; what was judged side by side counts once."""
        return self._held.seconds

    def join(self, activations: Iterable[ActivePolicy]) -> bool:
        """Take in those that are not here yet, each at its place in the order. Whether there were any."""
        known = self.activations
        new = [self._judge(active) for active in activations if active not in known]
        self._judges = sorted([*self._judges, *new], key=lambda judge: judge.active.order)
        self._unasked += new
        self._shadows |= {judge: Shadow(judge) for judge in new if not judge.enforces}
        self.enforces_answers = any(judge.enforces and judge.wants_any(ANSWER_HOOKS) for judge in self._judges)
        """Whether a policy in force may hold or change the answer."""
        return bool(new)

    async def check(self, request: Request) -> Request | Answered:
        """Run the request hooks of those who were not asked before. Raises RequestRefused."""
        until = perf_counter() + REQUEST_VERDICTS
        asked, self._unasked = self._unasked, []
        for position, judge in enumerate(asked):
            judge.call.request = request
            if not judge.wants("on_request"):
                continue
            if not judge.enforces:
                self._shadows[judge].check(request)
                continue
            verdict = await judge.ask("on_request", request, "request", until - perf_counter())
            if isinstance(verdict.content, Request):
                request = _same_call(verdict.content, request)
            elif verdict.action == "reroute":
                request = dataclasses.replace(request, model=verdict.model)
            elif verdict.action != "allow":
                self._not_reached(asked[position + 1 :], judge)
                return self._answered(judge, verdict)
        if request.model != self._request.model and (keeping := self._keeping_from(request.model)):
            reason = f"this key may not use {request.model}, which a policy chose"
            return self._answered(keeping, keeping.refuse("on_request", "request", reason))
        for judge in self._judges:
            judge.call.request = request
        self._request = request
        return request

    def offers(self, fallback: str) -> bool:
        """Whether the policies in force let the call's key use that model; it is on record where they do not."""
        judge = self._keeping_from(fallback)
        if judge is not None:
            judge.call.note("fallback", f"{fallback} was not asked: {judge.active.name} keeps this key from it")
        return judge is None

    def chain(self) -> Chain:
        """What the answer's events go through before the client may have them.

        To be used as a context; nothing may be fed behind its end.
        """
        links = [link for judge in self._judges for link in self._links(judge)]
        self._gate = self._new_gate()
        return Chain(links, self._gate, single=self._request.choices == 1)

    @property
    def has_listeners(self) -> bool:
        """Whether a policy wants to know that the call is over."""
        return any(judge.wants("on_end") for judge in self._judges)

    async def end(self, outcome: str, spent: Spent = NOTHING_SPENT) -> None:
        """Tell every policy that the call is over, and what it used."""
        judges = [judge for judge in self._judges if judge.wants("on_end")]
        for judge in judges:
            judge.call.usage, judge.call.cost, judge.call.usage_is_whole = spent
            if not judge.enforces:
                self._shadows[judge].end(outcome)
        await asyncio.gather(*(judge.end(outcome) for judge in judges if judge.enforces))

    async def settled(self) -> None:
        """Returns once the shadow policies, whom nobody waits for, have said what they have to say."""
        await asyncio.gather(*(shadow.settled() for shadow in self._shadows.values()))

    def _keeping_from(self, model: str) -> Judge | None:
        return next((judge for judge in self._judges if judge.enforces and not judge.offers(model)), None)

    def _judge(self, active: ActivePolicy) -> Judge:
        held = self._held if active.mode == "enforce" else Stopwatch()
        return Judge(active, self._call, self._record, self._began, held)

    def _links(self, judge: Judge) -> Sequence[Link]:
        links: list[Link] = []
        if judge.wants("on_event"):
            links.append(Watch(judge))
        if judge.wants_any(_BLOCK_HOOKS):
            links.append(Stage(judge))
        if judge.wants("on_answer"):
            links.append(WholeAnswer(judge))
        return links if judge.enforces or not links else [self._shadows[judge].beside(links)]

    def _new_gate(self) -> Gate:
        return Gate(
            holds_tools=any(judge.enforces and judge.wants("on_tool_call") for judge in self._judges),
            binds_thinking=self.binds_thinking,
            drop=partial(_thinking_dropped, self._record, self._began),
            structured=self._request.structured,
            call_id=self._call.id,
            why=self._why,
        )

    def _answered(self, judge: Judge, verdict: Verdict) -> Answered:
        """Raises RequestRefused."""
        name = judge.active.name
        if verdict.action == "refuse":
            message = f"The policy {name} refused this request: {verdict.reason or 'no reason given'}"
            raise RequestRefused(message, verdict.status, verdict.retry_after, verdict.code)
        if verdict.action == "respond":
            return Answered(verdict.text, blocked=False)
        return Answered(blocked_text(name, "this request", verdict.reason, self._call.id, self._why), blocked=True)

    def _not_reached(self, judges: Sequence[Judge], by: Judge) -> None:
        for judge in judges:
            if judge.enforces and judge.wants("on_request"):
                reason = f"blocked by {by.active.name}"
                judge.decide("on_request", "request", "not_reached", reason, perf_counter())


def _thinking_dropped(record: Record, began: float, by: ActivePolicy, label: str) -> None:
    reason = "it is signed over what a policy changed before it"
    at = (perf_counter() - began) * 1000
    record(Decision(by.name, by.version, by.mode, "on_thinking", label, "dropped", reason, at))


def _same_call(new: Request, request: Request) -> Request:
    """A policy rewrites what is said, not how the answer travels."""
    return dataclasses.replace(new, stream=request.stream, choices=request.choices)
