"""CallRecorder: everything that happens to one call, on its way to the record.

All of it runs on the event loop and only collects; the writer's thread does the work. Every call is closed once, by
`close` or `close_soon`, whichever comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import structlog

from observability import metrics, telemetry
from observability.activity import events as telling
from observability.activity.publisher import publisher
from observability.rows.attempts import Attempts, Headers, SetAside
from observability.rows.decisions import decision_row, policies_of
from observability.rows.entries import CallFacts, Checkpoint, Closing, Late, Outcome, ReleasedBlock
from observability.rows.timings import Clock, Timings
from observability.text import clean, clean_name
from policies.content import Block, ToolCall, Usage
from policies.verdicts import Decision

from . import tap, writer
from .handover import Handover
from .tap import Tap
from .waiting import RecordUnavailable, Waiter

__all__ = ["CallFacts", "CallRecorder", "Outcome", "RecordUnavailable", "Timings"]

log = structlog.get_logger(__name__)


class CallRecorder:
    """The record of one call. `outcome` is `open` until it is closed. What is not `is_real` only looks like one."""

    is_real = True

    def __init__(self, facts: CallFacts, own_writer: writer.Writer | None = None) -> None:
        self.outcome: Outcome = "open"
        self._handover = Handover(own_writer or writer.current(), facts)
        self._began = perf_counter()
        self._facts = facts
        self._closed: Waiter | None = None
        self._attempts = Attempts()
        self._original = Tap("response_original")
        self._final = Tap("response_final")
        self.original = self._original.add
        """Tap 1: bytes of the upstream's answer."""
        self.final = self._final.add
        """Tap 2: bytes as written for the client."""
        self._delivered = 0
        self._truncated: list[str] = []
        self._decisions: list[dict[str, Any]] = []
        self._sent_decisions = 0
        self._blocks: list[dict[str, Any]] = []
        self._unsent_blocks: list[ReleasedBlock] = []
        self._notes: list[dict[str, Any]] = []
        self._usage: Usage | None = None
        self._cost: int | None = None
        self._changed = {"changed_request": False, "changed_response": False}
        self._withholds = False
        self._request_passed = False
        self._timings = Timings()

    def policies(self, text: str, *, withhold: bool = False) -> None:
        """The policies that judge the call: `name@version, ...`.

        With `withhold` no original goes on record but of what they let pass unchanged.
        """
        self._handover.policies = text
        if withhold and not self._withholds:
            self._withholds = True
            self._handover.wait()

    def open(self, *, soon: bool = True) -> None:
        """Put the call and its request on record; where it need not be `soon`, within OPENING_SECONDS or with its end.

        Raises RecordUnavailable where no call may begin.
        """
        self._handover.open(soon=soon)
        if publisher.watched:
            facts = self._facts
            publisher.publish(telling.request_received, self, facts.path, facts.streamed, len(facts.request_body))

    @property
    def subject(self) -> telling.Subject:
        """Whose call this is, as those who watch are told."""
        facts, began = self._facts, self._handover.started_at
        return telling.Subject.of(facts.id, facts.team, facts.key, facts.session, facts.model, began)

    @property
    def in_doubt(self) -> bool:
        """Whether the last write of this process failed, so that this call may not come to be on record."""
        return self._handover.in_doubt

    async def opened(self, *, now: bool = False) -> None:
        """Returns once the opening is durable; at once in `async` and `off`, and where it need not be soon nor `now`.

        Raises RecordUnavailable.
        """
        self._withhold_request()
        await self._handover.opened(now=now)

    def forwarded(self, provider: str, upstream_model: str, body: bytes, dialect: str = "") -> None:
        """The request as it leaves for a provider, in `dialect` if that is not the client's.

        Another one is another attempt, and the upstream's tap begins anew.
        """
        self._attempts.begin(provider, upstream_model, self._capped("request_final", body), dialect)
        self._original.restart()
        if publisher.watched:
            publisher.publish(telling.request_sent, self, self.now_ms(), *self._attempts.newest)

    def head(self, status: int, headers: Headers) -> None:
        """The upstream answered."""
        self._attempts.answered(status, headers)
        if publisher.watched:
            publisher.publish(telling.answer_received, self, self.now_ms(), *self._attempts.newest)

    def failed(self, error: str) -> None:
        """The last attempt came to nothing; `error` says why, without quoting anything."""
        self._attempts.end(error)

    def set_aside(self) -> SetAside:
        """The newest attempt as it stands, in case that the call ends with it after all: see `take_back`."""
        return self._attempts.set_aside(self._original.chunks)

    def take_back(self, attempt: SetAside) -> None:
        """The call ends with an earlier attempt: what went out and came back then is what is on record."""
        self._attempts.take_back(attempt)
        self._original.restart()
        for chunk in attempt.answer:
            self._original.add(chunk)

    def decide(self, decision: Decision) -> None:
        """A verdict; after the close it is appended as late."""
        metrics.decided(decision.policy, decision.action, decision.mode)
        if self.outcome != "open":
            self.late(decision)
            return
        self._decide(decision_row(len(self._decisions), decision, late=False))

    def late(self, decision: Decision) -> None:
        """A verdict that came when the call was over."""
        row = decision_row(len(self._decisions), decision, late=True)
        self._decide(row)
        self._handover.submit(Late(self._facts.id, self._handover.opening.process, row))

    def note(self, kind: str, text: str = "", value: float | None = None) -> None:
        """What a policy, or the gateway, wants on record beside its verdicts."""
        self._notes.append({"kind": kind, "text": text, "value": value, "at": self.now_ms()})

    def usage(self, usage: Usage, cost_microdollars: int | None = None) -> None:
        self._usage, self._cost = usage, cost_microdollars

    def changed(self, *, request: bool | None = None, response: bool | None = None) -> None:
        """Whether policies changed what passes; None leaves it as it was said before."""
        if request is not None:
            self._changed["changed_request"] = request
            self._request_passed = not request
        if response is not None:
            self._changed["changed_response"] = response

    def timings(self, clock: Clock) -> None:
        """Where the time went, up to now."""
        self._timings = Timings.by(clock)

    def delivered(self, size: int) -> None:
        """That many bytes of the answer have gone to the client's socket; it counts where the client leaves early."""
        self._delivered += size

    def released(self, blocks: Sequence[Block]) -> None:
        """Note blocks that are about to be released; the next checkpoint, or the close, puts them on record."""
        for block in blocks:
            noted = ReleasedBlock.of(block, len(self._blocks), self.now_ms())
            self._blocks.append(noted.row)
            self._unsent_blocks.append(noted)
            if publisher.watched:
                publisher.publish(telling.final_block, self, noted.row)

    async def checkpoint(self, tool_calls: Sequence[ToolCall] = ()) -> None:
        """Put tool calls on record that are about to be released; returns once that is durable.

        Raises RecordUnavailable.
        """
        self.released(tool_calls)
        blocks, self._unsent_blocks = self._unsent_blocks, []
        process = self._handover.opening.process
        done = self._handover.submit(Checkpoint(self._facts.id, process, blocks, self._unsent_decisions()))
        if done is not None:
            await done.wait()

    async def close(
        self, outcome: Outcome, status: int | None = None, error_kind: str = "", error_message: str = ""
    ) -> None:
        """End the record; returns once it is durable (`blocking`). A second close waits for the first.

        Raises RecordUnavailable; the row is written all the same as soon as the database is back.
        """
        if self.outcome == "open":
            self._close(outcome, status, error_kind, error_message)
        if self._closed is not None:
            await self._closed.wait()

    def close_soon(
        self, outcome: Outcome, status: int | None = None, error_kind: str = "", error_message: str = ""
    ) -> None:
        """As `close`, without waiting and without raising: for calls that nobody waits for any more."""
        if self.outcome != "open":
            return
        try:
            self._close(outcome, status, error_kind, error_message)
        except Exception:
            log.exception("a call's record could not be closed", call=self._facts.id)

    def _close(self, outcome: Outcome, status: int | None, error_kind: str, error_message: str) -> None:
        self.outcome = outcome
        self._attempts.end("")
        self._withhold_request()
        if self._timings.total is None:
            self._timings.total = self.now_ms()
        closing = self._closing(outcome, status, error_kind, error_message)
        closing.fields["trace_id"] = telemetry.call_ended(closing)
        self._closed = self._handover.submit(closing)
        metrics.call_ended(self._facts.dialect, outcome, error_kind, self._timings.total, self._timings.overhead)
        if publisher.watched:
            publisher.publish(telling.finished, self, closing.told())

    def _closing(self, outcome: Outcome, status: int | None, error_kind: str, error_message: str) -> Closing:
        last = self._attempts.last
        opening = self._handover.opening
        truncated = [*opening.truncated, *self._truncated]
        truncated += [each.name for each in (self._original, self._final) if each.truncated]
        return Closing(
            opening=opening,
            closed_at=datetime.now(UTC),
            outcome=outcome,
            fields={
                **self._changed,
                "provider": clean_name(last["provider"]),
                "upstream_model": clean_name(last["model"]),
                "upstream_dialect": self._attempts.dialect,
                "status": status,
                "error_kind": clean_name(error_kind),
                "error_message": clean(error_message),
                "cost_microdollars": self._cost,
                "released_bytes": self._delivered if outcome == "cancelled" else self._final.size,
                "policies": clean(self._handover.policies or policies_of(self._decisions)),
                "response_headers": self._attempts.headers,
                "attempts": self._attempts.rows,
                "notes": self._notes,
                "truncated": truncated,
            },
            usage=self._usage,
            timings=self._timings,
            forwarded=self._attempts.forwarded,
            original=self._original_of(outcome),
            final=self._final.chunks,
            size=self._original.size + self._final.size + len(self._attempts.forwarded or b""),
            blocks=self._blocks,
            unsent_blocks=self._unsent_blocks,
            decisions=list(self._decisions),
            unsent=self._unsent_decisions(),
        )

    def _withhold_request(self) -> None:
        if self._withholds and not self._request_passed and self._handover.withhold_request():
            self.note("withheld", "the request as the client sent it")

    def _original_of(self, outcome: Outcome) -> list[bytes]:
        """What the tap has of the answer, as far as it may be on record: a block that was still held was not judged."""
        chunks = self._original.chunks
        judged = outcome == "finished" and not self._changed["changed_response"]
        if not self._withholds or judged or b"".join(chunks) == b"".join(self._final.chunks):
            return chunks
        self.note("withheld", "the answer as the provider gave it")
        return []

    def _capped(self, name: str, body: bytes) -> bytes:
        if len(body) > tap.BODY_LIMIT and name not in self._truncated:
            self._truncated.append(name)
        return body[: tap.BODY_LIMIT]

    def _decide(self, row: dict[str, Any]) -> None:
        self._decisions.append(row)
        if publisher.watched:
            publisher.publish(telling.verdict, self, row)

    def _unsent_decisions(self) -> list[dict[str, Any]]:
        unsent = self._decisions[self._sent_decisions :]
        self._sent_decisions = len(self._decisions)
        return unsent

    def now_ms(self) -> float:
        """Milliseconds since the record began."""
        return (perf_counter() - self._began) * 1000
