"""A call in another dialect than its client's: the request made anew, the answer's events such as its client reads.

Policies stand between the two: they judge what the client would get. Pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import assert_never

from gateway.dialects.base import Dialect, StreamReader
from gateway.dialects.custom_tools import free_text
from gateway.dialects.portable import portable
from gateway.dialects.settings import Model
from gateway.dialects.signatures import marked
from gateway.dialects.tool_names import safe_id, safe_name
from gateway.errors import UpstreamRefused
from gateway.upstreams.headers import Headers
from policies.content import Request, Usage
from policies.events import Aside, BlockDelta, BlockEnd, BlockStart, End, Event, Failure, Start

_REASONS = frozenset({"end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal"})
"""What every dialect has a word for."""
_LONGEST_WAIT = 86_400.0
"""Seconds."""
_ALIKE = {"model_context_window_exceeded": "max_tokens"}


class Translation:
    """One request of a `client` dialect to the provider of that name, which is spoken to in `dialect`.

    `original` is as the client sent it, `request` as policies left it. Raises BadRequest. `body` is what is sent, and
    `dropped` says what it lacks, in words for the record.
    """

    def __init__(
        self,
        client: Dialect,
        dialect: Dialect,
        provider: str,
        model: Model,
        original: Request,
        request: Request,
        call_id: str,
    ) -> None:
        self.dialect = dialect
        self._client = client
        self._provider = provider
        self._asked = request
        self._model = original.model
        self._call_id = call_id
        self._normal, settings, dropped = portable(request, client.read_settings(original), dialect, provider)
        made = dialect.make_request(self._normal, settings, model)
        self.body = made.body
        self.dropped = tuple(dict.fromkeys((*dropped, *made.dropped)))

    @property
    def binds_thinking(self) -> bool:
        """Whether thinking comes back signed over what stands before it."""
        return self.dialect.binds_thinking and self._client.carries_signatures

    def reader(self) -> StreamReader:
        """Reads the provider's stream. What makes no sense in it is an error: nobody could pass it on."""
        return _Reader(self.dialect.reader(self._normal), self._answer())

    def read_answer(self, body: bytes) -> list[Event]:
        """A whole answer of the provider. Raises UpstreamGarbled."""
        return self._answer().translate(self.dialect.read_answer(body))

    def refusal(self, status: int, headers: Headers, body: bytes) -> UpstreamRefused:
        """The provider's error. It is not quoted where it speaks of our credential, which is not the client's."""
        message, code = self.dialect.read_error(body)
        if status in (401, 403):
            message, code = "", ""
        told = f"The provider {self._provider} answered with status {status}"
        refusal = UpstreamRefused(f"{told}: {message}" if message else f"{told}.", status, code)
        named = dict(headers)
        with suppress(KeyError, ValueError):
            refusal.retry_after = min(max(0.0, float(named["retry-after"])), _LONGEST_WAIT)
        if named.get("x-should-retry") in ("true", "false"):
            refusal.should_retry = named["x-should-retry"] == "true"
        return refusal

    def _answer(self) -> AnswerTranslator:
        return AnswerTranslator(
            self._client, self.dialect, self._provider, model=self._model, call_id=self._call_id, request=self._asked
        )


class _Reader:
    def __init__(self, reader: StreamReader, answer: AnswerTranslator) -> None:
        self._reader = reader
        self._answer = answer

    def feed(self, chunk: bytes) -> list[Event]:
        return self._answer.translate(self._reader.feed(chunk))

    def close(self) -> list[Event]:
        return self._answer.translate(self._reader.close())


class AnswerTranslator:
    """The events of one answer in a provider's `dialect`, as events without bytes that a `client` dialect can write.

    `model` is the name that the client asked for. What the client has no word for is left out.
    """

    def __init__(
        self, client: Dialect, dialect: Dialect, provider: str, *, model: str, call_id: str, request: Request
    ) -> None:
        self._client = client
        self._dialect = dialect
        self._provider = provider
        self._model = model
        self._call_id = call_id
        self._names = {safe_name(tool.name): tool.name for tool in request.tools}
        self._custom = frozenset(tool.name for tool in request.tools if tool.custom and not dialect.has_custom_tools)
        self._tool_calls = 0
        self._open: _Block | None = None

    def translate(self, events: Iterable[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            out += self._event(event)
        return out

    def _event(self, event: Event) -> Sequence[Event]:
        match event:
            case BlockDelta():
                return self._open.delta(event) if self._open is not None else ()
            case BlockStart():
                self._open = self._block(event)
                return self._open.start() if self._open is not None else ()
            case BlockEnd():
                block, self._open = self._open, None
                return (*block.end(), BlockEnd()) if block is not None and block.began else ()
            case Start():
                return (Start(event.id or self._call_id, self._model, _bare(event.usage), event.choice),)
            case End():
                return (End(self._reason(event.stop_reason), _bare(event.usage)),)
            case Failure():
                return (Failure(self._client.error_type(self._dialect.error_kind(event.type)), event.message),)
            case Aside():
                return ()
            case _:
                assert_never(event)

    def _block(self, start: BlockStart) -> _Block | None:
        """None for what ran at the provider, and for what only its dialect knows."""
        if start.kind == "opaque" or start.executed:
            return None
        if start.kind == "tool_call":
            self._tool_calls += 1
            return _ToolCall(self._tool_call(start), wrapped=self._is_wrapped(start))
        if start.kind == "thinking":
            return _Thinking(self._provider if self._client.carries_signatures else "")
        return _Block(BlockStart("text"))

    def _tool_call(self, start: BlockStart) -> BlockStart:
        call_id = start.id or f"{self._call_id}_{self._tool_calls}"
        name = self._names.get(start.name, start.name)
        if self._client.plain_ids:
            call_id = safe_id(call_id)
        return BlockStart("tool_call", call_id, name, custom=start.custom or self._is_wrapped(start))

    def _is_wrapped(self, start: BlockStart) -> bool:
        return not start.custom and self._names.get(start.name, start.name) in self._custom

    def _reason(self, reason: str) -> str:
        """Some providers say that a turn is over where it has tool calls, and the other way round."""
        known = reason if reason in _REASONS else _ALIKE.get(reason, "end_turn")
        if known in ("end_turn", "tool_use"):
            return "tool_use" if self._tool_calls else "end_turn"
        return known


class _Block:
    """A block on its way: `start`, `delta` and `end` are what the client gets for each; BlockEnd follows."""

    def __init__(self, start: BlockStart) -> None:
        self._start = start
        self.began = True

    def start(self) -> Sequence[Event]:
        return (self._start,)

    def delta(self, delta: BlockDelta) -> Sequence[Event]:
        return (BlockDelta(delta.text),) if delta.text else ()

    def end(self) -> Sequence[Event]:
        return ()


class _Thinking(_Block):
    """Begins with its first word, or with its signature where it has no words. The signature comes last and whole.

    `provider` is empty where the client cannot keep signatures.
    """

    def __init__(self, provider: str) -> None:
        super().__init__(BlockStart("thinking"))
        self.began = False
        self._provider = provider
        self._signature = ""

    def start(self) -> Sequence[Event]:
        return ()

    def delta(self, delta: BlockDelta) -> Sequence[Event]:
        self._signature += delta.signature
        begins = not self.began and bool(delta.text or (self._signature and self._provider))
        self.began |= begins
        return (*((self._start,) if begins else ()), *super().delta(delta))

    def end(self) -> Sequence[Event]:
        return (BlockDelta("", marked(self._provider, self._signature)),) if self._provider else ()


class _ToolCall(_Block):
    """A call without arguments says `{}`. The input of a custom tool that came `wrapped` is known at the end only."""

    def __init__(self, start: BlockStart, wrapped: bool) -> None:
        super().__init__(start)
        self._wrapped = wrapped
        self._kept: list[str] = []
        self._empty = True

    def delta(self, delta: BlockDelta) -> Sequence[Event]:
        self._empty = self._empty and not delta.text.strip()
        if not self._wrapped:
            return super().delta(delta)
        self._kept.append(delta.text)
        return ()

    def end(self) -> Sequence[Event]:
        if self._wrapped:
            return (BlockDelta(free_text("".join(self._kept))),)
        return (BlockDelta("{}"),) if self._empty and not self._start.custom else ()


def _bare(usage: Usage) -> Usage:
    return dataclasses.replace(usage, source=None)
