"""Asking one policy: the only caller of its hooks. Whatever a hook does, a usable answer comes of it, on record."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from time import perf_counter
from types import CodeType
from typing import Any

from policies.active import ActivePolicy
from policies.base import Call, seen_by
from policies.content import UnparsableArguments
from policies.events import Event
from policies.verdicts import Decision, Verdict, allow, block, refuse

from .background import at_once, never_waits, within
from .stopwatch import Stopwatch
from .usable import Deciding, is_event, unusable

LONGEST_HOLD = 240.0
"""Seconds after which no verdict is waited for, whatever an activation's deadline says."""
LONGEST_REASON = 2_000
"""Characters of a reason that are kept."""

RAISED = (Exception, asyncio.CancelledError, SystemExit, GeneratorExit, BaseExceptionGroup)
"""What a hook may raise without harm to more than its own verdict: all but an operator's Ctrl-C."""


class PolicyFailed(Exception):
    """A hook that is never awaited raised or returned rubbish, and its activation fails closed."""


class Judge:
    """One active policy within one call. `held` runs while a verdict is awaited."""

    def __init__(
        self, active: ActivePolicy, call: Call, record: Callable[[Decision], None], began: float, held: Stopwatch
    ) -> None:
        self.active = active
        self.policy = active.policy
        self.call = seen_by(call, active.name, active.version, active.mode)
        self._record = record
        self._began = began
        self._held = held
        self._failures: set[tuple[str, str]] = set()

    @property
    def enforces(self) -> bool:
        return self.active.mode == "enforce"

    def wants(self, hook: str) -> bool:
        """Whether the policy has that hook."""
        return hook in self.policy.hooks

    def wants_any(self, hooks: frozenset[str]) -> bool:
        return not self.policy.hooks.isdisjoint(hooks)

    def ask(self, hook: Deciding, subject: Any, label: str, deadline: float = LONGEST_HOLD) -> asyncio.Future[Verdict]:
        """The policy's verdict on `subject`, within its deadline (seconds); a failure is a verdict too."""
        started = perf_counter()

        def conclude(verdict: Verdict | str) -> Verdict:
            if isinstance(verdict, str):
                return self._failed(hook, label, verdict, started)
            self.decide(hook, label, verdict.action, verdict.reason, started, verdict)
            return verdict

        self._held.start()
        if self._never_waits(hook):
            asked = at_once(self._verdict(hook, subject), conclude)
            self._held.stop()
        else:
            asked = within(min(self.active.deadline, deadline), self._verdict(hook, subject), conclude)
            asked.add_done_callback(self._held.stop)
        return asked

    def offers(self, model: str) -> bool:
        """Whether the policy lets this call's key use a model that its client did not name; no, where it fails."""
        try:
            return bool(self.policy.offers(model, self.call.key, self.call.team))
        except RAISED as error:
            return self._failed("offers", "request", _raised(error), perf_counter()).action == "allow"

    def text_delta(self, text: str, final: bool, label: str) -> tuple[str, int]:
        """`on_text_delta`, checked. Raises PolicyFailed; a policy that fails open releases everything."""
        started = perf_counter()
        try:
            release, keep = self.policy.on_text_delta(text, self.call, final)
            if type(release) is str and type(keep) is int and 0 <= keep <= (0 if final else len(text)):
                return release, keep
            failure = "returned something that is not (release, keep)"
        except RAISED as error:
            failure = _raised(error)
        self._failed_while_streaming("on_text_delta", label, failure, started)
        return text, 0

    def watch(self, event: Event) -> list[Event]:
        """`on_event`, checked. Raises PolicyFailed.

        What the policy did not change comes back as the same object; all else is new and has no frame. The policy
        itself only ever holds copies, so it cannot change what has been judged since.
        """
        started = perf_counter()
        given = dataclasses.replace(event)
        try:
            returned = self.policy.on_event(given, self.call)
            made = list(returned) if isinstance(returned, Iterable) else [returned]
            if all(is_event(each) for each in made):
                return [event if _same(each, given, event) else dataclasses.replace(each, frame=None) for each in made]
            failure = "returned something that is not an event"
        except RAISED as error:
            failure = _raised(error)
        self._failed_while_streaming("on_event", "answer", failure, started)
        return [event]

    def tool_call_delta(self, fragment: str, label: str) -> None:
        """`on_tool_call_delta`. Raises PolicyFailed."""
        started = perf_counter()
        failure = _failure(self.policy.on_tool_call_delta, fragment, self.call)
        if failure:
            self._failed_while_streaming("on_tool_call_delta", label, failure, started)

    def finish(self, reason: str) -> None:
        """`on_finish`; nothing is left to hold back, so a failure is only recorded."""
        started = perf_counter()
        failure = _failure(self.policy.on_finish, reason, self.call)
        if failure:
            self._failed("on_finish", "answer", failure, started)

    def end(self, outcome: str) -> asyncio.Future[None]:
        """`on_end`, within the deadline; a failure is only recorded."""
        started = perf_counter()

        def conclude(failure: str) -> None:
            if failure:
                self._failed("on_end", "answer", failure, started)

        return within(min(self.active.deadline, LONGEST_HOLD), self._ended(outcome), conclude)

    def decide(
        self, hook: str, label: str, action: str, reason: str, started: float, verdict: Verdict | None = None
    ) -> None:
        """Put a decision on record; `started` is when the hook was called, by perf_counter."""
        now = perf_counter()
        self._record(
            Decision(
                policy=self.active.name,
                version=self.active.version,
                mode=self.active.mode,
                hook=hook,
                block=label,
                action=action,
                reason=printable(reason),
                at=(started - self._began) * 1000,
                ms=(now - started) * 1000,
                score=verdict.score if verdict else None,
                evidence=_snapshot(verdict.evidence) if verdict else None,
            )
        )

    def refuse(self, hook: str, label: str, reason: str) -> Verdict:
        """A refusal (403) in the policy's name, on record."""
        self.decide(hook, label, "refuse", reason, perf_counter())
        return refuse(403, reason)

    def failed_closed(self, hook: str, label: str, failure: str) -> None:
        """Put on record that what `hook` made cannot be used, whatever the activation says of failures."""
        self.decide(hook, label, "failed_closed", failure, perf_counter())

    def _never_waits(self, hook: Deciding) -> bool:
        code = getattr(getattr(self.policy, hook), "__code__", None)
        return isinstance(code, CodeType) and never_waits(code)

    async def _verdict(self, hook: Deciding, subject: Any) -> Verdict | str:
        """The hook's verdict, or how it failed."""
        try:
            verdict = await getattr(self.policy, hook)(subject, self.call)
            failure = unusable(hook, verdict, subject) or self._too_late(verdict)
            return failure or _cleaned(verdict)
        except UnparsableArguments:
            return block("the arguments are not valid JSON")
        except RAISED as error:
            return _raised(error)

    async def _ended(self, outcome: str) -> str:
        try:
            await self.policy.on_end(self.call, outcome)
        except RAISED as error:
            return _raised(error)
        return ""

    def _too_late(self, verdict: Verdict) -> str:
        """Of several choices the first may be with the client when the last is judged."""
        late = verdict.action == "retry" and self.call.request.choices > 1
        return "returned retry, which an answer of several choices cannot do" if late else ""

    def _failed(self, hook: str, label: str, failure: str, started: float) -> Verdict:
        """Record a failure, once for each hook and block, and say what follows from it."""
        is_open = self.active.on_failure == "open"
        if (hook, label) not in self._failures:
            self._failures.add((hook, label))
            self.decide(hook, label, "failed_open" if is_open else "failed_closed", failure, started)
        return allow() if is_open else block("the policy failed")

    def _failed_while_streaming(self, hook: str, label: str, failure: str, started: float) -> None:
        if self._failed(hook, label, failure, started).action == "block":
            raise PolicyFailed(failure)


def printable(reason: str) -> str:
    """The beginning of `reason`, with a space for each character that does not print."""
    reason = reason[:LONGEST_REASON]
    return reason if reason.isprintable() else "".join(c if c.isprintable() else " " for c in reason)


def _cleaned(verdict: Verdict) -> Verdict:
    reason = printable(verdict.reason)
    return verdict if reason is verdict.reason else dataclasses.replace(verdict, reason=reason)


def _snapshot(evidence: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Evidence is often a part of `call.state`, which goes on changing."""
    return None if evidence is None else json.loads(json.dumps(dict(evidence)))


def _failure(hook: Callable[[str, Call], object], subject: str, call: Call) -> str:
    try:
        # A coroutine, say: then the policy never ran.
        return "" if hook(subject, call) is None else "returned something"
    except RAISED as error:
        return _raised(error)


def _raised(error: BaseException) -> str:
    """An exception's text may quote what was judged; its type does not."""
    return f"raised {type(error).__name__}"


def _same(made: Event, given: Event, event: Event) -> bool:
    return made is given and made == event and made.frame is event.frame and made.source is event.source
