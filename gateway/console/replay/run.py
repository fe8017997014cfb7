"""One call, once more, through the pipeline that live calls take."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import ClassVar, cast

from django.conf import settings

from gateway import beginnings
from gateway.calls import Head, Incoming, new_call_id
from gateway.dialects import DIALECTS, OPENAI_RESPONSES, responses_dialect
from gateway.directory import Client, Directory, Route, Target
from gateway.live_call import LiveCall
from gateway.pipeline import run_call
from observability.recording.recorder import CallRecorder
from policies.active import ActivePolicy, ActiveSet
from policies.base import Call, count_alone
from policies.content import Request
from policies.events import Event
from policies.memory import Memory, ProcessMemory

from .judges import Judges
from .material import Material
from .rehearsal import Rehearsal
from .results import Replayed, Step
from .upstream import NotOnRecord, RecordedUpstream

LONGEST = 120.0
"""Seconds that one replay may take."""
_CONFIGURED = {"anthropic": "anthropic", "openai_chat": "litellm", "openai_responses": "openai"}
"""A provider that is spoken to in that wire dialect by clients of another."""


async def replay(
    material: Material, policies: Sequence[ActivePolicy], judges: Judges | None = None, memory: Memory | None = None
) -> Replayed:
    """What `policies` make of `material`, for the key and team and model that it has. Raises TimeoutError.

    Nobody is asked but judges that may be, and nothing of it goes on record. `memory` is what policies remember of
    sessions, which is never that of live calls.
    """
    judges = judges or Judges()
    incoming = _incoming(material)
    read = beginnings.read(incoming)
    reply, unasked = _Reply(), judges.unasked
    call = _ReplayedCall(incoming, _directory(material, policies), read, judges, memory or ProcessMemory())
    async with asyncio.timeout(LONGEST):
        await run_call(call, reply)
        took = (perf_counter() - incoming.began) * 1000
        await call.over()
    return call.result(reply, took, judges.unasked - unasked)


class _Reply:
    """A client that takes everything."""

    def __init__(self) -> None:
        self.body = b""

    async def begin(self, head: Head) -> None:
        self.body += head.body or b""

    async def send(self, body: bytes) -> None:
        self.body += body


class _ReplayedCall(LiveCall):
    """Keeps what it sees of the call."""

    recorder: ClassVar[type[CallRecorder]] = Rehearsal

    def __init__(
        self, incoming: Incoming, directory: Directory, read: beginnings.Read, judges: Judges, memory: Memory
    ) -> None:
        self._judges = judges
        self._memory = memory
        self._steps: list[Step] = []
        self._sent: Request | None = None
        self._known = True
        super().__init__(incoming, directory, read)

    async def sending(self, target: Target, body: bytes, request: Request) -> None:
        self._sent = request
        await super().sending(target, body, request)

    def tapped(self, events: list[Event]) -> list[Event]:
        # A policy's stage may take an event apart in place; what came is shown as it came.
        self._steps.append(Step(list(events)))
        return super().tapped(events)

    def is_live(self, events: Sequence[Event]) -> bool:
        return False  # all that is released has to be seen by `releasing`

    def releasing(self, events: Sequence[Event]) -> bool:
        if not self._steps:
            self._steps.append(Step(()))
        self._steps[-1].released += events
        return super().releasing(events)

    def fail(self, error: Exception) -> Head | bytes:
        self._known = self._known and not isinstance(error, NotOnRecord)
        return super().fail(error)

    def left(self) -> None:
        """What follows the end is waited for in `over`."""

    async def over(self) -> None:
        """Returns when all policies have said what they have to say."""
        await self.executor.end(self.record.outcome)
        await self.executor.settled()

    def result(self, reply: _Reply, took: float, unasked: int) -> Replayed:
        record = cast(Rehearsal, self.record)
        changed_request, changed_answer = record.differs
        return Replayed(
            outcome=record.outcome if self._known else "unanswered",
            status=record.status,
            request=self.request,
            sent=self._sent,
            forwarded=record.forwarded_body,
            steps=self._steps,
            decisions=record.decided,
            notes=record.noted,
            wire=reply.body if self._known else b"",
            known=self._known,
            changed_request=changed_request,
            changed_answer=changed_answer,
            error=record.error,
            took=took,
            unasked=unasked,
        )

    def _seen_by_policies(self) -> Call:
        call = super()._seen_by_policies()
        call.on_ask = partial(self._judges.ask, self.incoming.began, self._decisions)
        call.on_first_seen = partial(_first_seen, self._memory)
        call.on_count, call.on_fetch = count_alone, self._judges.fetch
        return call


async def _first_seen(memory: Memory, call: Call, values: Mapping[str, str]) -> dict[str, str]:
    """For `Call.first_seen`. A call that belongs to no session is one of its own. Raises MemoryFailed."""
    return await memory.first_seen((call.policy, call.mode, call.session), values) if call.session else dict(values)


def _incoming(material: Material) -> Incoming:
    dialect = DIALECTS[material.dialect]
    if dialect is OPENAI_RESPONSES:
        dialect = responses_dialect(settings.LUTHIEN_HIDDEN_HISTORY == "allow")
    return Incoming(
        dialect=dialect,
        client=Client(material.key, material.team, can_call=True, can_read=False, id=0),
        method="POST",
        path=material.path,
        headers=material.headers,
        body=material.request,
        judges_only=material.path.startswith(("/messages/count_tokens", "/embeddings")),
        id=material.id or new_call_id(),
    )


def _directory(material: Material, policies: Sequence[ActivePolicy]) -> Directory:
    """One in which every model leads to the recorded answer."""
    wire = material.upstream_dialect
    configured = _CONFIGURED[wire] if wire else "demo"
    serves = Target(material.provider, configured, material.model, RecordedUpstream(material), translated=wire)
    active = ActiveSet(0, tuple(sorted(policies, key=lambda each: each.order)))
    return Directory.of(0, active, {}, [Route("*", serves)])
