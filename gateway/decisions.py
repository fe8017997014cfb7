"""Where the decisions of a call go: on its record, and into the log where a policy failed open."""

from __future__ import annotations

import structlog

from observability.recording.recorder import CallRecorder
from policies.verdicts import Decision

log = structlog.get_logger(__name__)


class Decisions:
    """Of one call; call it with each decision. `kept_back` says that a policy in force kept something of the answer.

    It knows the record and not the call. Else each call were part of a circle, and would keep its bodies until the
    garbage collector comes by.
    """

    __slots__ = ("_call_id", "_record", "kept_back")

    def __init__(self, call_id: str, record: CallRecorder) -> None:
        self.kept_back = False
        self._call_id = call_id
        self._record = record

    def __call__(self, decision: Decision) -> None:
        if decision.mode == "enforce" and decision.hook not in ("on_finish", "on_end"):
            self.kept_back |= decision.action in ("block", "stop", "failed_closed")
        if decision.action == "failed_open" and self._record.is_real:
            log.error("policy failed open", policy=decision.policy, version=decision.version, call=self._call_id)
        self._record.decide(decision)
