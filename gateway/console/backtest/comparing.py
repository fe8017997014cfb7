"""One call of a backtest: what became of it, what would now, and what would by the subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.console.backtest.changes import WHOLE, alike, change, gives, recorded_fate
from gateway.console.backtest.models import Backtest, BacktestCall
from gateway.console.replay import Judges, Replayed, recorded
from gateway.console.replay.lineup import Subject, baseline, candidate
from gateway.console.replay.playing import Player
from observability import queries
from observability.diffs.blocks import Block, request_blocks, response_blocks
from observability.models import CallRecord
from policies.active import ActivePolicy
from policies.memory import Memory, ProcessMemory
from policies.models import Activation
from policies.snapshot import compiled


@dataclass(frozen=True, slots=True)
class Lineups:
    """The policies that judge now, and those that would, each side with what it remembers of sessions."""

    now: Sequence[ActivePolicy]
    new: Sequence[ActivePolicy]
    now_memory: Memory = field(default_factory=ProcessMemory)
    new_memory: Memory = field(default_factory=ProcessMemory)

    @classmethod
    def of(cls, backtest: Backtest) -> Lineups:
        """As they were when the backtest was made. Raises NotRegistered and InvalidConfig."""
        rows = Activation.objects.select_related("version", "policy").in_bulk(backtest.in_force)
        in_force = compiled({pk: rows[pk] for pk in backtest.in_force})
        subject = Subject(backtest.policy, backtest.version, backtest.registered_name, backtest.config)
        return cls(
            baseline(subject, in_force, backtest.together), list(candidate(subject, in_force, backtest.together))
        )


@dataclass(frozen=True, slots=True)
class Compared:
    now: Replayed
    new: Replayed


def compare(player: Player, call: CallRecord, lineups: Lineups, judges: Judges) -> Compared:
    """Raises NotReplayable."""
    material = recorded(call)
    now = player.play(material, lineups.now, judges, lineups.now_memory)
    return Compared(now, player.play(material, lineups.new, judges, lineups.new_memory))


def found(backtest: Backtest, position: int, call: CallRecord, compared: Compared, judges: Judges) -> BacktestCall:
    """The row of one call."""
    now, new = compared.now, compared.new
    then = _then(backtest, call)
    return BacktestCall(
        backtest=backtest,
        position=position,
        call_id=call.pk,
        then=then,
        now=now.fate,
        new=new.fate,
        since_then=change(then, new.fate, _as_recorded(backtest, call, new)),
        since_now=change(now.fate, new.fate, alike(now, new)),
        reason=new.reason,
        now_ms=now.took,
        new_ms=new.took,
        judge_microdollars=now.judge_cost + new.judge_cost,
        judgements=judges.answers,
    )


def given(call: CallRecord) -> tuple[list[Block], list[Block]]:
    """The request and the answer of a recorded call, as policies left them then."""
    sent = request_blocks(queries.request(call, "request_final"))
    return sent, response_blocks(queries.answers(call, "response_final"))


def _then(backtest: Backtest, call: CallRecord) -> str:
    """By all policies of that time; by this one alone, where only it is under test."""
    decisions = call.decisions.filter(mode="enforce").exclude(hook__in=("on_finish", "on_end"))
    if backtest.together:
        changed = call.changed_request or call.changed_response
        return recorded_fate(call.outcome, changed, decisions.values_list("action", flat=True))
    own = decisions.filter(policy=backtest.policy)
    return recorded_fate("", False, own.values_list("action", flat=True))


def _as_recorded(backtest: Backtest, call: CallRecord, new: Replayed) -> bool:
    """Contents are compared only where both are whole, and made by all policies."""
    if not backtest.together or not new.known or call.outcome not in WHOLE:
        return True
    sent, answer = given(call)
    # What was sent in another dialect reads otherwise without anybody's doing.
    return gives(new, new.request_after if call.upstream_dialect else sent, answer)
