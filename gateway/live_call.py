"""A call while it lives: its policies, its clock and its recorder, and how all of that ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Sequence
from typing import ClassVar

import structlog

from gateway import beginnings, endings, why
from gateway.attempts import Attempts
from gateway.calls import Clock, Head, Incoming
from gateway.decisions import Decisions
from gateway.dialects.base import StreamReader
from gateway.dialects.strict_json import LARGE
from gateway.directory import Directory, Target
from gateway.errors import BadRequest, GatewayError, UpstreamError, UpstreamGarbled, UpstreamUnavailable
from gateway.executor import Answered, PolicyExecutor, RetryAsked, Spent
from gateway.ledger import Ledger
from gateway.sessions import session_of
from gateway.translation import Translation
from gateway.upstreams.base import Answer, Headers
from observability.activity.answers import publisher, tell_blocks, tell_head
from observability.recording.recorder import CallRecorder, Outcome, RecordUnavailable
from policies.active import ActivePolicy
from policies.base import Call
from policies.content import NO_USAGE, Request, ToolCall
from policies.events import BlockDelta, End, Event, Failure, Start

log = structlog.get_logger(__name__)
_COUNTED = (Start, End)


class LiveCall:
    """Made by `of`, and told when it is over by `left`. `request` is as the client sent it."""

    recorder: ClassVar[type[CallRecorder]] = CallRecorder

    def __init__(self, incoming: Incoming, directory: Directory, read: beginnings.Read) -> None:
        self.incoming = incoming
        self.clock = Clock(incoming.began)
        self.head_is_out = False
        self.translation: Translation | None = None
        self._directory = directory
        self.request, self._unreadable = read
        self.session = session_of(incoming.client.key, self.request, incoming.headers)
        self.record = self.recorder(beginnings.facts(incoming, self.request, self.session, directory.number))
        self._decisions = Decisions(incoming.id, self.record)
        seen = self._seen_by_policies()
        seen.on_note = self.record.note
        active = () if self._unreadable else self._select(self.request.model)
        self.executor = PolicyExecutor(active, seen, self._decisions, began=incoming.began, why=why.link)
        self._name_policies()
        self._status: int | None = None
        self._provider, self._model = "", self.request.model
        self._usage, self._usage_is_whole = NO_USAGE, False
        self._failure: Failure | None = None
        self._ledger = Ledger()
        self.attempts = Attempts(incoming, directory)
        self._is_asking = False

    @classmethod
    async def of(cls, incoming: Incoming, directory: Directory) -> LiveCall:
        """The call, once its request is read; of this nothing is on record yet."""
        read = await beginnings.read_large(incoming) if len(incoming.body) > LARGE else beginnings.read(incoming)
        return cls(incoming, directory, read)

    def begin(self) -> Request:
        """Put the call on record: its request. Raises BadRequest where that cannot be used, and RecordUnavailable."""
        self.record.open(soon=self.request.stream)
        if self._unreadable is not None:
            raise self._unreadable
        return self.request

    async def check(self, request: Request) -> Request | Answered:
        """What the policies make of the request; where one chooses another model, that model's policies join.

        Raises RequestRefused, and BadRequest for an input that no policy can read.
        """
        model = self.request.model
        while True:
            checked = await beginnings.judged(self.incoming, request, self.executor)
            if isinstance(checked, Answered) or checked.model == model:
                return checked
            request, model = checked, checked.model
            if not self.executor.join(self._select(model)):
                return checked
            self._name_policies()

    async def sending(self, target: Target, body: bytes, request: Request) -> None:
        """`request` is about to leave for `target`, as `body`. Raises RecordUnavailable."""
        self.record.changed(request=request is not self.request and self._is_changed(request))
        if self.record.in_doubt:
            await self.record.opened(now=True)  # or a provider would be paid for what cannot be released
        self.clock.held = self.executor.held
        self.clock.sent = self.clock.now()
        self._provider, self._model = target.provider, target.model
        wire = self.translation.dialect.name if self.translation is not None else ""
        self.record.forwarded(target.provider, target.model, body, wire)
        self._is_asking = True

    async def answered(self, answer: Answer) -> None:
        """The upstream's head is here. Nothing of it may be released before the record is `opened`.

        Raises UpstreamUnavailable for an error where somebody else may be asked, UpstreamRefused for a translated one.
        """
        self.clock.answered = self.clock.now()
        self.record.head(answer.status, answer.headers)
        self._is_asking = answer.status >= 400 and self.attempts.is_failure(answer.status)
        if self._is_asking or (answer.status >= 400 and self.translation is not None):
            await self.record.opened()
            body = await answer.read()
            self.record.original(body)
            if self.translation is not None:
                raise self.translation.refusal(answer.status, answer.headers, body)
            raise UpstreamUnavailable(self._provider, answer.status, answer.headers, body)

    async def fall_back(self, failure: GatewayError, request: Request) -> Request | Answered:
        """What the policies make of `request` for the next fallback. Raises the first failure where there is none.

        Whose answer has begun is not replaced: then `failure` is raised at once. A fallback in whose dialect the
        request cannot be said is left out.
        """
        if not self._is_asking and not (self.attempts.failure and isinstance(failure, BadRequest)):
            raise failure
        self._is_asking = False
        self.record.failed(str(failure))
        if self.attempts.failure is None:
            self._first_attempt = self.record.set_aside()
        target = self.attempts.next(failure, self.executor.offers)
        if target is None:
            self.record.take_back(self._first_attempt)
            raise self.attempts.failure or failure
        self.clock.again(self.executor.held)
        return await self.check(dataclasses.replace(request, model=target.model))

    async def ask_again(self, asked: RetryAsked, request: Request) -> Request | Answered:
        """What the policies make of `request` for the model that one of them wants instead.

        Raises RequestBlocked where they wanted another one too often.
        """
        self.record.failed(f"the policy {asked.by.active.name} asked for another model")
        usage, self._usage, self._usage_is_whole = self._usage, NO_USAGE, False
        self._ledger, self._failure, self._decisions.kept_back = Ledger(), None, False
        self.clock.again(self.executor.held)
        self.attempts.again(self._model, usage)
        return await self.check(dataclasses.replace(request, model=asked.model))

    def stream_reader(self, request: Request) -> StreamReader:
        """Reads the answer; where no policy has to judge it, what cannot be read is relayed as it came."""
        if self.translation is not None:
            return self.translation.reader()
        return self.incoming.dialect.reader(request, strict=self.executor.enforces_answers)

    def read_answer(self, body: bytes) -> list[Event]:
        """A whole answer as events; none where it cannot be read and no policy has to judge it."""
        if self.translation is not None:
            return self.tapped(self.translation.read_answer(body))
        try:
            return self.tapped(self.incoming.dialect.read_answer(body))
        except UpstreamGarbled:
            if self.executor.enforces_answers:
                raise
            return []

    def tapped(self, events: list[Event]) -> list[Event]:
        """`events` as they came, read along for usage and for an error in mid-stream."""
        if not self.clock.first_event:
            self.clock.first_event = self.clock.now()
        if publisher.watched:
            tell_blocks(self.record, events)
        for event in events:
            if isinstance(event, BlockDelta):  # as nearly all of them are
                continue
            if isinstance(event, Start):
                self._ledger.begin()
            if isinstance(event, _COUNTED) and event.usage is not NO_USAGE:
                self._usage, self._usage_is_whole = event.usage, isinstance(event, End)
            elif isinstance(event, Failure):
                self._failure = event
        return events

    def releasing(self, events: Sequence[Event]) -> bool:
        """Note the blocks that `events` complete; whether a tool call is among them."""
        blocks = self._ledger.release(events)
        if not blocks:
            return False
        self.record.released(blocks)
        return any(isinstance(block, ToolCall) for block in blocks)

    def is_live(self, events: Sequence[Event]) -> bool:
        """Whether `events` are a delta and nothing else, of a block whose end need not be `durable`."""
        return len(events) == 1 and isinstance(events[0], BlockDelta) and not self._ledger.is_in_tool_call

    def free(self, events: Sequence[Event]) -> int:
        """How many of `events`, from the first on, need not be `durable`."""
        return self._ledger.free(events)

    def durable(self, events: Sequence[Event]) -> Awaitable[None] | None:
        """What ends once that is on record which `events` complete, a tool call or the answer; None if they do not.

        Awaiting it raises RecordUnavailable.
        """
        was_over = self._ledger.over
        completes_tool_call = self.releasing(events)
        if self._ledger.over and not was_over:
            return self._close_at_end()
        return self.record.checkpoint() if completes_tool_call else None

    async def close(self, outcome: Outcome, status: int | None, kind: str = "", message: str = "") -> None:
        """Close the record; in `blocking` this returns when it is durable. Raises RecordUnavailable."""
        if outcome == "finished" and self._decisions.kept_back:
            outcome = "blocked"
        self._closing()
        await self.record.close(outcome, status, kind, message)

    def fail(self, error: Exception) -> Head | bytes:
        """Close the record over `error`: what tells the client, in the head or behind it; nothing after the end."""
        if self.head_is_out and self._ledger.over and not isinstance(error, RecordUnavailable):
            log.warning("a provider's answer went wrong after its end", call=self.incoming.id)
            return b""
        known = endings.told(error)
        if known is None:
            log.error("a call failed within", call=self.incoming.id, exc_info=error)
            known = GatewayError("Luthien failed within; the call is on record.")
        told = self._told(known)
        if self.record.outcome == "open":
            if isinstance(known, UpstreamError):
                self.record.failed(str(known))
            self.record.final(told.body or b"" if isinstance(told, Head) else told)
            self._closing()
            outcome = endings.outcome(known, begun=self.head_is_out)
            self.record.close_soon(outcome, self._status, known.kind, str(known))
        return told

    def left(self) -> None:
        """Over. What is not closed by now is a call whose client has left."""
        if self.record.outcome == "open":
            self._closing()
            self.record.close_soon("cancelled", self._status)
        if self.executor.has_listeners:
            endings.afterwards(self.executor.end(self.record.outcome, self._spent()))

    def head(self, status: int, headers: Headers, body: bytes | None = None) -> Head:
        """The answer's head, with what every `/v1` answer carries."""
        self.head_is_out, self._status = True, status
        keepalive = self.incoming.dialect.keepalive if self.executor.enforces_answers else b""
        return self._signed(Head(status, headers, body, keepalive))

    def _told(self, error: GatewayError) -> Head | bytes:
        if self.head_is_out:
            return self.incoming.dialect.write_failure(error, self.incoming.id)
        self._status = error.status
        return self._signed(Head.of_error(error, self.incoming.dialect, self.incoming.id))

    def _signed(self, head: Head) -> Head:
        self.clock.held = self.executor.held
        if publisher.watched:
            tell_head(self.record, head.status)
        return head.signed(self.incoming.id, self.clock, self.policies)

    def _name_policies(self) -> None:
        self.policies = ", ".join(f"{active.name}@{active.version}" for active in self.executor.activations)
        """The policies that judge the call, as its header and its record name them."""
        self.record.policies(self.policies, withhold=self.executor.withholds)

    def _select(self, model: str) -> tuple[ActivePolicy, ...]:
        client = self.incoming.client
        return self._directory.active.select(client.team, client.key, model, self.session)

    def _seen_by_policies(self) -> Call:
        return beginnings.seen_by_policies(self.incoming, self.request, self.session, self._directory, self._decisions)

    def _is_changed(self, request: Request) -> bool:
        """Whether policies changed the request; a fallback's model is not their doing."""
        if self.attempts.failure is not None:
            request = dataclasses.replace(request, model=self.request.model)
        return request != self.request

    async def _close_at_end(self) -> None:
        if self._failure is None:
            await self.close("finished", self._status)
        else:
            message = f"{self._failure.type}: {self._failure.message}"
            await self.close("upstream_error", self._status, "api_error", message)

    def _spent(self) -> Spent:
        """What policies hear of it. Nobody knows what an answer used that was cut off, and maybe paid for."""
        used_nothing = not self._provider or (self.record.outcome == "upstream_error" and not self.clock.first_event)
        return Spent(*self.attempts.total(self._model, self._usage), self._usage_is_whole or used_nothing)

    def _closing(self) -> None:
        clock, executor = self.clock, self.executor
        clock.held = executor.held
        self.record.usage(*self.attempts.total(self._model, self._usage))
        self.record.changed(response=executor.changed)
        self.record.timings(clock)
