"""A call while it lives: its policies, its clock and its recorder, and how all of that ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import structlog
from django.conf import settings

from gateway import prices
from gateway.calls import Clock, Head, Incoming
from gateway.dialects.base import StreamReader
from gateway.directory import Directory, Target
from gateway.errors import (
    BadRequest,
    GatewayError,
    RequestBlocked,
    RequestRefused,
    Unavailable,
    UpstreamGarbled,
    UpstreamStalled,
    UpstreamTruncated,
)
from gateway.executor import PolicyExecutor
from gateway.sessions import session_of
from gateway.upstreams.base import Answer, Headers
from observability.recorder import CallFacts, CallRecorder, Outcome, RecordUnavailable
from policies.base import Call
from policies.content import NO_USAGE, Request, ToolCall, Usage
from policies.events import (
    BlockDelta,
    BlockEnd,
    BlockStart,
    End,
    Event,
    Failure,
    Start,
    StreamTruncated,
    build_block,
)
from policies.verdicts import Decision

log = structlog.get_logger(__name__)
_ending: set[asyncio.Task[None]] = set()


class LiveCall:
    """Made by `recorded`; nothing here survives the call."""

    def __init__(self, incoming: Incoming) -> None:
        self.incoming = incoming
        self.clock = Clock(incoming.began)
        self.head_is_out = False
        self.executor = PolicyExecutor((), Call(incoming.id), self._decided, began=incoming.began)
        self.record = CallRecorder(self._facts(session="", model="", streamed=False, snapshot=0))
        self._usage: Usage = NO_USAGE
        self._model = ""
        self._noticed = False
        self._failure: Failure | None = None
        self._tool: list[Event] = []

    @classmethod
    @asynccontextmanager
    async def recorded(cls, incoming: Incoming) -> AsyncGenerator[LiveCall, None]:
        """A call whose record is closed when the block is left, by whichever way."""
        call = cls(incoming)
        try:
            yield call
        except GatewayError as error:
            await call._failed(error)
            raise
        except StreamTruncated as error:
            broken = UpstreamTruncated("The provider's answer stopped before its end.")
            await call._failed(broken)
            raise broken from error
        except RecordUnavailable as error:
            refused = Unavailable("The call cannot be put on record now, so it is not answered.", retry_after=5)
            call.record.close_soon("refused", refused.status, refused.kind, str(refused))
            raise refused from error
        except (GeneratorExit, asyncio.CancelledError):
            call._closing()
            call.record.close_soon("cancelled")
            raise
        except BaseException as error:
            call.record.close_soon("cut", 500, "api_error", type(error).__name__)
            raise
        finally:
            call._end()

    def read_request(self, directory: Directory) -> Request:
        """The request as the client sent it; from here on the call has its policies and an open record."""
        incoming = self.incoming
        try:
            request = incoming.dialect.read_request(incoming.body)
        except BadRequest:
            self.record.open()
            raise
        client = incoming.client
        session = session_of(client.key, request, incoming.headers)
        call = Call(incoming.id, client.key, client.team, session, request.model, incoming.dialect.name, request)
        call.on_note = self.record_note
        self._model = request.model
        self.executor = PolicyExecutor(
            directory.active.select(client.team, client.key, request.model, session),
            call,
            self._decided,
            began=incoming.began,
            link=f"{settings.LUTHIEN_URL}/calls/{incoming.id}/",
            binds_thinking=incoming.dialect.binds_thinking,
        )
        self.record = CallRecorder(self._facts(session, request.model, request.stream, directory.number))
        self.record.policies(self.policies)
        self.record.open()
        return request

    @property
    def policies(self) -> str:
        """The policies that judge the call, as its header and its record name them."""
        return ", ".join(f"{active.name}@{active.version}" for active in self.executor.activations)

    def sending(self, target: Target, body: bytes, changed: bool) -> None:
        """The request is about to leave for `target`."""
        self.clock.held = self.executor.held
        self.clock.sent = self.clock.now()
        self.record.forwarded(target.provider, target.model, body)
        self.record.changed(request=changed)

    async def answered(self, answer: Answer) -> None:
        """The upstream's head is here; nothing of it is released before the record of the call is durable."""
        self.clock.answered = self.clock.now()
        self.record.head(answer.status, answer.headers)
        await self.opened()

    async def opened(self) -> None:
        await self.record.opened()

    def stream_reader(self, request: Request) -> StreamReader:
        """Reads the answer; where no policy has to judge it, what cannot be read is relayed as it came."""
        return self.incoming.dialect.reader(request, strict=self.executor.enforces_answers)

    def read_answer(self, body: bytes) -> list[Event]:
        """A whole answer as events; none where it cannot be read and no policy has to judge it."""
        try:
            return self.incoming.dialect.read_answer(body)
        except UpstreamGarbled:
            if self.executor.enforces_answers:
                raise
            return []

    def tapped(self, events: list[Event]) -> list[Event]:
        """`events` as they came, read along for usage and for an error in mid-stream."""
        if not self.clock.first_event:
            self.clock.first_event = self.clock.now()
        for event in events:
            if isinstance(event, Start | End):
                if event.usage is not NO_USAGE:
                    self._usage = event.usage
            elif isinstance(event, Failure):
                self._failure = event
        return events

    async def make_durable(self, events: Sequence[Event], status: int) -> None:
        """Returns once what `events` complete, a tool call or the answer, is on record; at once if they do not."""
        for event in events:
            if isinstance(event, Failure):
                message = f"{self._failure.type}: {self._failure.message}" if self._failure else ""
                await self.close("upstream_error", status, "api_error", message)
        tool_calls = self._completed_tool_calls(events)
        if any(isinstance(event, End) for event in events):
            await self.close("finished", status)
        elif tool_calls:
            await self.record.checkpoint(tool_calls)

    async def close(self, outcome: Outcome, status: int, kind: str = "", message: str = "") -> None:
        """Close the record; in `blocking` this returns when it is durable."""
        if outcome == "finished" and self._noticed:
            outcome = "blocked"
        self._closing()
        await self.record.close(outcome, status, kind, message)

    def head(self, status: int, headers: Headers, body: bytes | None = None) -> Head:
        """The answer's head, with what every `/v1` answer carries."""
        self.head_is_out = True
        self.clock.held = self.executor.held
        ours = [
            ("x-luthien-call-id", self.incoming.id),
            ("x-luthien-policies", self.policies),
            ("server-timing", self.clock.server_timing()),
        ]
        keepalive = self.incoming.dialect.keepalive if self.executor.enforces_answers else b""
        return Head(status, [*headers, *ours], body, keepalive)

    def record_note(self, kind: str, text: str, value: float | None) -> None:
        self.record.note(kind, text, value)

    def _facts(self, session: str, model: str, streamed: bool, snapshot: int) -> CallFacts:
        incoming = self.incoming
        return CallFacts(
            id=incoming.id,
            key=incoming.client.key,
            team=incoming.client.team,
            session=session,
            model=model,
            dialect=incoming.dialect.name,
            path=incoming.path,
            streamed=streamed,
            request_headers=list(incoming.headers.items()),
            request_body=incoming.body,
            snapshot=snapshot,
        )

    def _decided(self, decision: Decision) -> None:
        if decision.mode == "enforce" and decision.action in ("block", "stop", "failed_closed"):
            self._noticed = True
        if decision.action == "failed_open":
            log.error("policy failed open", policy=decision.policy, version=decision.version, call=self.incoming.id)
        self.record.decide(decision)

    def _completed_tool_calls(self, events: Sequence[Event]) -> list[ToolCall]:
        completed: list[ToolCall] = []
        for event in events:
            if isinstance(event, BlockStart):
                self._tool = [event] if event.kind == "tool_call" else []
            elif self._tool and isinstance(event, BlockDelta):
                self._tool.append(event)
            elif self._tool and isinstance(event, BlockEnd):
                start, *deltas = self._tool
                assert isinstance(start, BlockStart)
                block = build_block(start, [delta for delta in deltas if isinstance(delta, BlockDelta)])
                assert isinstance(block, ToolCall)
                completed.append(block)
                self._tool = []
        return completed

    async def _failed(self, error: GatewayError) -> None:
        self._closing()
        self.record.close_soon(_outcome(error), error.status, error.kind, str(error))

    def _closing(self) -> None:
        clock, executor = self.clock, self.executor
        clock.held = executor.held
        self.record.usage(self._usage, prices.cost(self._model, self._usage))
        self.record.changed(response=executor.changed)
        self.record.timings(clock)

    def _end(self) -> None:
        task = asyncio.ensure_future(self.executor.end(self.record.outcome))
        _ending.add(task)
        task.add_done_callback(_ending.discard)


def _outcome(error: GatewayError) -> Outcome:
    match error:
        case RequestBlocked():
            return "blocked"
        case UpstreamStalled():
            return "stalled"
        case UpstreamTruncated():
            return "cut"
        case BadRequest() | RequestRefused() | Unavailable():
            return "refused"
        case _:
            return "upstream_error"


