"""Asking one policy: the only caller of its hooks. Whatever a hook does, a usable answer comes of it, on record."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, Literal

from policies.active import ActivePolicy
from policies.base import Call
from policies.content import Opaque, Request, Response, Text, Thinking, ToolCall, UnparsableArguments
from policies.events import Aside, BlockDelta, BlockEnd, BlockStart, End, Event, Failure, Start, detached
from policies.verdicts import Decision, Verdict, allow, block

Deciding = Literal["on_request", "on_text", "on_thinking", "on_tool_call", "on_answer"]
LONGEST_HOLD = 240.0
"""Seconds after which no verdict is waited for, whatever an activation's deadline says."""

ACTIONS: dict[Deciding, frozenset[str]] = {
    "on_request": frozenset({"allow", "replace", "block", "stop", "respond", "refuse", "reroute"}),
    "on_text": frozenset({"allow", "replace", "block", "stop"}),
    "on_thinking": frozenset({"allow", "block", "stop"}),
    "on_tool_call": frozenset({"allow", "replace", "block", "stop"}),
    "on_answer": frozenset({"allow", "replace", "block", "stop", "retry"}),
}
REPLACEMENTS: dict[Deciding, type | tuple[type, ...]] = {
    "on_text": (Text, Opaque),
    "on_tool_call": (Text, ToolCall),
    "on_answer": (Text, Thinking, ToolCall, Opaque),
}
_EVENTS = (Start, BlockStart, BlockDelta, BlockEnd, End, Failure, Aside)


class PolicyFailed(Exception):
    """A hook that is never awaited raised or returned rubbish, and its activation fails closed."""


class Judge:
    """One active policy within one call."""

    def __init__(self, active: ActivePolicy, call: Call, record: Callable[[Decision], None], began: float) -> None:
        self.active = active
        self.policy = active.policy
        self.call = dataclasses.replace(call, state={})
        self.held = 0.0
        self._record = record
        self._began = began

    async def ask(self, hook: Deciding, subject: Any, label: str, deadline: float = LONGEST_HOLD) -> Verdict:
        """The policy's verdict on `subject`, within its deadline (seconds); a failure is a verdict too."""
        started = perf_counter()
        seconds = min(self.active.deadline, deadline)
        try:
            async with asyncio.timeout(seconds):
                verdict = await getattr(self.policy, hook)(subject, self.call)
            failure = rubbish(hook, verdict, subject)
        except UnparsableArguments:
            verdict, failure = block("the arguments are not valid JSON"), ""
        except TimeoutError:
            failure = f"gave no verdict within {seconds:g} s"
        except asyncio.CancelledError:
            if _cancelled():
                raise
            failure = "cancelled itself"
        except Exception as error:
            failure = f"raised {type(error).__name__}"
        self.held += perf_counter() - started
        if failure:
            return self._failed(hook, label, failure, started)
        self.decide(hook, label, verdict.action, verdict.reason, started, verdict)
        return verdict

    def text_delta(self, text: str, final: bool) -> tuple[str, int]:
        """`on_text_delta`, checked. Raises PolicyFailed; a policy that fails open releases everything."""
        started = perf_counter()
        try:
            release, keep = self.policy.on_text_delta(text, self.call, final)
            if type(release) is str and type(keep) is int and 0 <= keep <= len(text):
                return release, 0 if final else keep
            failure = "returned something that is not (release, keep)"
        except Exception as error:
            failure = f"raised {type(error).__name__}"
        self._failed_while_streaming("on_text_delta", "text", failure, started)
        return text, 0

    def watch(self, event: Event) -> tuple[list[Event], bool]:
        """`on_event`, checked: what it made of the event, and whether that differs. Raises PolicyFailed.

        Only an event that is the same still has its frame.
        """
        started = perf_counter()
        try:
            before = dataclasses.replace(event)
            returned = self.policy.on_event(event, self.call)
            events = list(returned) if isinstance(returned, Iterable) else [returned]
            if all(isinstance(made, _EVENTS) for made in events):
                if len(events) == 1 and events[0] is event and event == before:
                    return events, False
                return [detached(made) for made in events], True
            failure = "returned something that is not an event"
        except Exception as error:
            failure = f"raised {type(error).__name__}"
        self._failed_while_streaming("on_event", "answer", failure, started)
        return [event], False

    def tool_call_delta(self, fragment: str) -> None:
        """`on_tool_call_delta`. Raises PolicyFailed."""
        started = perf_counter()
        try:
            self.policy.on_tool_call_delta(fragment, self.call)
        except Exception as error:
            self._failed_while_streaming("on_tool_call_delta", "tool_call", f"raised {type(error).__name__}", started)

    def finish(self, reason: str) -> None:
        """`on_finish`; nothing is left to hold back, so a failure is only recorded."""
        started = perf_counter()
        try:
            self.policy.on_finish(reason, self.call)
        except Exception as error:
            self.decide("on_finish", "answer", "failed_closed", f"raised {type(error).__name__}", started)

    async def end(self, outcome: str) -> None:
        """`on_end`, within the deadline; a failure is only recorded."""
        started = perf_counter()
        try:
            async with asyncio.timeout(self.active.deadline):
                await self.policy.on_end(self.call, outcome)
        except Exception as error:
            self.decide("on_end", "answer", "failed_closed", f"raised {type(error).__name__}", started)

    def decide(
        self, hook: str, label: str, action: str, reason: str, started: float, verdict: Verdict | None = None
    ) -> None:
        """Put a decision on record; `started` is when the hook was called."""
        now = perf_counter()
        self._record(
            Decision(
                policy=self.active.name,
                version=self.active.version,
                mode=self.active.mode,
                hook=hook,
                block=label,
                action=action,
                reason=reason,
                at=(started - self._began) * 1000,
                ms=(now - started) * 1000,
                score=verdict.score if verdict else None,
                evidence=verdict.evidence if verdict else None,
            )
        )

    def _failed(self, hook: str, label: str, failure: str, started: float) -> Verdict:
        is_open = self.active.on_failure == "open"
        self.decide(hook, label, "failed_open" if is_open else "failed_closed", failure, started)
        return allow() if is_open else block("the policy failed")

    def _failed_while_streaming(self, hook: str, label: str, failure: str, started: float) -> None:
        if self._failed(hook, label, failure, started).action == "block":
            raise PolicyFailed(failure)


def rubbish(hook: Deciding, verdict: object, subject: object) -> str:
    """Why `verdict` cannot be used as the answer of `hook`; empty if it can."""
    if not isinstance(verdict, Verdict):
        return "returned something that is not a verdict"
    if verdict.action not in ACTIONS[hook]:
        return f"returned {verdict.action}, which {hook} cannot do"
    if verdict.action != "replace":
        return ""
    if hook == "on_request":
        return "" if isinstance(verdict.content, Request) else "replaced a request by something else"
    if not isinstance(verdict.content, tuple):
        return "replaced a block by something else"
    if not all(isinstance(made, REPLACEMENTS[hook]) for made in verdict.content):
        return "replaced a block by one that may not stand there"
    if isinstance(subject, Response) and _invented(verdict.content, subject):
        return "put a tool call or thinking into the answer that the model did not make"
    return ""


def _invented(content: tuple[Any, ...], response: Response) -> bool:
    ids = {tool_call.id for tool_call in response.tool_calls}
    return any(
        (isinstance(made, ToolCall) and made.id not in ids)
        or (isinstance(made, Thinking) and made not in response.blocks)
        for made in content
    )


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
