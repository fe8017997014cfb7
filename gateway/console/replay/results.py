"""What came of a replay. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gateway.dialects.recorded import fold_answers
from observability.diffs.blocks import Block, request_blocks, response_blocks
from policies.content import Request
from policies.events import Event
from policies.verdicts import Decision

Fate = Literal["allowed", "rewritten", "blocked", "undecided"]
"""What became of a call: `undecided` is one about which a judge should have been asked, and was not."""
BLOCKING = frozenset({"block", "stop", "refuse", "failed_closed"})
_WHOLE_CALL = frozenset({"blocked", "refused"})


@dataclass(slots=True)
class Step:
    """Events that came together, and what was released before the next ones came."""

    came: Sequence[Event]
    released: list[Event] = field(default_factory=list)


@dataclass(slots=True)
class Replayed:
    """`request` is as it came and `sent` as policies left it, None where it was not sent; `forwarded` is its body.

    `known` says that the answer to what was sent is on record; else `wire` is empty. `took` is in milliseconds.
    `unasked` counts questions to judges that were not asked.
    """

    outcome: str
    status: int | None
    request: Request
    sent: Request | None
    forwarded: bytes | None
    steps: list[Step]
    decisions: list[Decision]
    notes: list[tuple[str, str, float | None]]
    wire: bytes
    known: bool
    changed_request: bool
    changed_answer: bool
    error: str
    took: float
    unasked: int

    @property
    def fate(self) -> Fate:
        if self.unasked:
            return "undecided"
        if self.outcome in _WHOLE_CALL or blocks(self.decisions):
            return "blocked"
        rewritten = self.changed_request or self.changed_answer or any(d.action == "respond" for d in self.enforced)
        return "rewritten" if rewritten else "allowed"

    @property
    def enforced(self) -> list[Decision]:
        return [decision for decision in self.decisions if decision.mode == "enforce"]

    @property
    def request_before(self) -> list[Block]:
        return request_blocks(self.request)

    @property
    def request_after(self) -> list[Block]:
        return request_blocks(self.sent)

    @property
    def answer_before(self) -> list[Block]:
        return response_blocks(fold_answers(event for step in self.steps for event in step.came))

    @property
    def answer_after(self) -> list[Block]:
        return response_blocks(fold_answers(event for step in self.steps for event in step.released))

    @property
    def reason(self) -> str:
        """Why it was blocked, else why it was rewritten first; empty where no verdict says."""
        told = [d for d in self.enforced if d.action in BLOCKING] or [d for d in self.enforced if d.action == "replace"]
        return f"{told[0].policy}: {told[0].reason or told[0].action}" if told else ""

    @property
    def judge_cost(self) -> int:
        """Micro-dollars that judges took, as far as their prices are known."""
        costs = [(d.evidence or {}).get("cost_microdollars") for d in self.decisions if d.hook == "ask"]
        return sum(cost for cost in costs if cost)

    @property
    def in_hooks(self) -> float:
        """Milliseconds in deciding hooks, judges' own questions not counted twice."""
        return sum(decision.ms for decision in self.decisions if decision.hook != "ask")


def blocks(decisions: Iterable[Decision]) -> bool:
    """Whether something of the call was kept back by a policy in force."""
    return any(d.action in BLOCKING for d in decisions if d.mode == "enforce" and d.hook not in ("on_finish", "on_end"))
