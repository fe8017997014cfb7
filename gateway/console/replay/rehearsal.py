"""What stands in for the record while a call is replayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from observability.recording.recorder import CallFacts, CallRecorder, Outcome, Timings
from observability.recording.writer import Writer
from policies.content import ToolCall
from policies.verdicts import Decision


class _Nowhere:
    """A writer of nothing."""

    boot_id = ""
    healthy = True


class Rehearsal(CallRecorder):
    """Takes what a recorder takes and puts none of it on record, nor into metrics, spans or the log."""

    is_real = False

    def __init__(self, facts: CallFacts) -> None:
        super().__init__(facts, cast(Writer, _Nowhere()))
        self.decided: list[Decision] = []
        self.noted: list[tuple[str, str, float | None]] = []
        self.forwarded_body: bytes | None = None
        self.status: int | None = None
        self.error = ""

    def open(self, *, soon: bool = True) -> None:
        """Nothing begins."""

    def forwarded(self, provider: str, upstream_model: str, body: bytes, dialect: str = "") -> None:
        self.forwarded_body = body

    def failed(self, error: str) -> None:
        """Attempts are not told of."""

    def set_aside(self) -> Any:
        return None

    def take_back(self, attempt: object) -> None:
        """As `set_aside`."""

    def decide(self, decision: Decision) -> None:
        self.decided.append(decision)

    def note(self, kind: str, text: str = "", value: float | None = None) -> None:
        self.noted.append((kind, text, value))

    async def checkpoint(self, tool_calls: Sequence[ToolCall] = ()) -> None:
        """Nothing is to become durable."""

    async def close(
        self,
        outcome: Outcome,
        status: int | None = None,
        error_kind: str = "",
        error_message: str = "",
        timings: Timings | None = None,
    ) -> None:
        self.close_soon(outcome, status, error_kind, error_message)

    def close_soon(
        self,
        outcome: Outcome,
        status: int | None = None,
        error_kind: str = "",
        error_message: str = "",
        timings: Timings | None = None,
    ) -> None:
        if self.outcome == "open":
            self.outcome, self.status, self.error = outcome, status, error_message

    @property
    def differs(self) -> tuple[bool, bool]:
        """Whether policies changed the request, and the answer."""
        return self._changed["changed_request"], self._changed["changed_response"]
