"""OpenAI's chat stream to events.

The wire never says that a tool call is complete before the answer finishes: another index may open, and the first go
on. So as soon as something else begins beside an open tool call, all is kept back until the end, and so is everything
from the chunk with the finish reason on. With several choices the whole stream is kept.
"""

from __future__ import annotations

import re
from string import ascii_letters, digits

from gateway.dialects.frames import FrameReader, share_frame
from gateway.dialects.templates import Template, is_spelled_once
from gateway.dialects.wire_json import Json
from gateway.errors import UpstreamGarbled
from policies.content import Request
from policies.events import Aside, BlockDelta, BlockEnd, Event, Failure, Frame, Start, StreamTruncated

from .chunks import narrowed, travelling, without_null_usage
from .kept import Kept, KeptAnswer
from .pieces import CallKeys, Piece, pieces, string

_LETTERS = (ascii_letters + digits).encode()
_HIDDEN = re.compile(rb'"obfuscation": ?"[a-zA-Z0-9]+(?=")')
_ELSEWHERE = frozenset({"message", "text", "content", "tool_calls"})


def asked_for_usage(request: Request) -> bool:
    """Whether the client wants the chunk with the usage; the gateway asks the upstream for it in any case."""
    source = request.source if isinstance(request.source, dict) else {}
    options = source.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


class Reader(FrameReader):
    """Not `strict`: what makes no sense travels as an Aside.

    `choices` is how many the client asked for; None keeps all back, as many as there may be."""

    def __init__(self, choices: int | None, usage_wanted: bool, strict: bool = True) -> None:
        super().__init__(strict)
        self._choices = choices
        self._usage_wanted = usage_wanted
        self._usage: Json | None = None
        self._usage_chunk: Json | None = None
        self._told = False
        self._open = ""
        self._open_call = False
        self._calls: dict[int, CallKeys] = {}
        self._kept = Kept() if choices != 1 else None

    def _end(self) -> list[Event]:
        """Some servers finish, but send no `[DONE]`."""
        events: list[Event] = []
        if not self._over and self._kept is not None and len(self._kept.answers) >= (self._choices or 1):
            events = self._done(b"")
        if not self._over:
            raise StreamTruncated
        return events

    def salvage(self) -> list[Event]:
        """Of a stream that was cut: the complete blocks that were still kept back."""
        return self._kept.complete() if self._kept is not None else []

    def _frame(self, raw: bytes, data: bytes, name: str) -> list[Event]:
        if data == b"[DONE]":
            return self._done(raw)
        chunk = self._parse(data)
        if self._strict:
            self._require_clear(chunk)
        return self._chunk(chunk, raw)

    def _require_clear(self, chunk: Json) -> None:
        """Some clients read on after the end, and some look for content elsewhere than in a delta."""
        choices = chunk.get("choices") or []
        _require(not self._over and not chunk.get("delta") and not (choices and chunk.get("error")))
        for said in [chunk, *choices]:
            _require(_ELSEWHERE.isdisjoint(said) or not any(map(said.get, _ELSEWHERE)))

    def _chunk(self, chunk: Json, raw: bytes) -> list[Event]:
        if chunk.get("error"):
            return self._failure(chunk, raw)
        came, raw = raw, self._counted(chunk, raw)
        choices = chunk.get("choices")
        if not choices:
            return self._without_choice(chunk, raw)
        if self._choices == 1 and (len(choices) > 1 or choices[0].get("index")):
            raise UpstreamGarbled("the provider sent a choice that nobody asked for")
        if self._kept is None and choices[0].get("finish_reason") is None:
            if self._open == "content" and _is_only_content(choices[0].get("delta")):
                text = choices[0]["delta"]["content"]
                self._template = _template(came, raw, text, chunk)
                return [BlockDelta(text, "", Frame(raw), chunk)]
            found = self._pieces(choices[0])
            if not self._overlaps(found):
                return self._live(chunk, choices[0], found, raw)
            self._keep(chunk, choices[0], found)
        else:
            for choice in choices:
                self._keep(chunk, choice, self._pieces(choice))
        assert self._kept is not None
        self._kept.pass_by(raw)
        return []

    def _counted(self, chunk: Json, raw: bytes) -> bytes:
        """Note the chunk's usage; the frame as it goes on to a client that did not ask for it."""
        usage = chunk.get("usage")
        if isinstance(usage, dict):
            self._usage = usage
        elif "usage" in chunk and not self._usage_wanted:
            return without_null_usage(raw)
        return raw

    def _pieces(self, choice: Json) -> list[Piece]:
        calls = self._calls.setdefault(choice.get("index") or 0, CallKeys())
        return pieces(choice.get("delta") or {}, calls)

    def _overlaps(self, found: list[Piece]) -> bool:
        """Whether anything else begins while a tool call is open."""
        key, is_call = self._open, self._open_call
        for piece in found:
            if is_call and piece.key != key:
                return True
            key, is_call = piece.key, piece.is_call
        return False

    def _live(self, chunk: Json, choice: Json, found: list[Piece], raw: bytes) -> list[Event]:
        events: list[Event] = []
        sources = _sources(chunk, choice, found, not self._told)
        if not self._told:
            self._told = True
            events.append(_start(chunk, sources[0], 0))
        for piece, source in zip(found, sources[-len(found) :], strict=False):
            events += self._tell(piece, source)
        if not events:
            return self._aside(chunk, raw)
        share_frame(events, raw)
        return events

    def _tell(self, piece: Piece, source: Json) -> list[Event]:
        events: list[Event] = []
        if piece.key != self._open:
            if self._open:
                events.append(BlockEnd())
            piece.start.source = source
            events.append(piece.start)
            self._open, self._open_call = piece.key, piece.is_call
        if piece.text or piece.start.kind == "opaque":
            events.append(BlockDelta(piece.text, source=source))
        return events

    def _keep(self, chunk: Json, choice: Json, found: list[Piece]) -> None:
        index = choice.get("index") or 0
        if self._kept is None:
            self._kept = Kept()
        answer = self._kept.answers.get(index)
        begins = answer is None and not self._told
        sources = _sources(chunk, choice, found, begins)
        if answer is None:
            start = _start(chunk, sources[0], index) if begins else None
            answer = self._kept.answers[index] = KeptAnswer(start, self._open)
        for piece, source in zip(found, sources[-len(found) :], strict=False):
            answer.add(piece, source)
        if choice.get("finish_reason") is not None:
            answer.reason = string(choice["finish_reason"])
            answer.finish = narrowed(chunk, choice, {}, travelling(choice.get("delta") or {}))

    def _without_choice(self, chunk: Json, raw: bytes) -> list[Event]:
        if isinstance(chunk.get("usage"), dict):
            self._usage_chunk = chunk
            if not self._usage_wanted:
                return []
        return self._aside(chunk, raw)

    def _done(self, raw: bytes) -> list[Event]:
        """Without a finish reason nobody knows whether the answer is whole: then it is not, and `close` says so."""
        if self._kept is None or not self._kept.finished:
            return []
        self._over = True
        self._kept.pass_by(raw)
        return self._kept.release(self._usage, self._usage_chunk)

    def _failure(self, chunk: Json, raw: bytes) -> list[Event]:
        error = chunk["error"]
        if isinstance(error, dict):
            kind = error.get("type") or error.get("code") or "api_error"
            failure = Failure(str(kind), string(error.get("message")), source=chunk)
        else:
            failure = Failure("api_error", string(error), source=chunk)
        events: list[Event] = [failure] if self._told else [Start(), failure]
        share_frame(events, raw)
        self._over = True
        if self._choices is None and self._kept is not None and self._kept.answers:
            return [*self.salvage(), failure]
        return events

    def _aside(self, chunk: Json, raw: bytes) -> list[Event]:
        if self._kept is None or self._over:
            return [Aside(Frame(raw), chunk or None)]
        self._kept.pass_by(raw)
        return []


def _template(came: bytes, raw: bytes, text: str, chunk: Json) -> Template | None:
    """Of a delta that came as `came` and goes on as `raw`. OpenAI hides the lengths of texts by letters behind them."""
    if chunk.get("usage"):
        return None

    def learned(frame: bytes) -> Template | None:
        hidden = _HIDDEN.search(frame) if is_spelled_once(frame, b'"obfuscation"') else None
        noise, tail = (_LETTERS, frame[hidden.end() :]) if hidden is not None else (b"", b"")
        return Template.learn(frame, b"content", text, chunk, noise, tail)

    template = learned(came)
    return template if template is None or raw is came else template.written_as(learned(raw))


def _is_only_content(delta: Json | None) -> bool:
    """The usual delta, which is told without looking for anything else."""
    return delta is not None and len(delta) == 1 and type(delta.get("content")) is str and delta["content"] != ""


def _require(in_place: bool) -> None:
    if not in_place:
        raise UpstreamGarbled("the provider sent content out of place")


def _start(chunk: Json, source: Json, index: int) -> Start:
    return Start(string(chunk.get("id")), string(chunk.get("model")), choice=index, source=source)


def _sources(chunk: Json, choice: Json, found: list[Piece], begins: bool) -> list[Json]:
    """A source for the start and for each piece: the chunk, or a part of it where it says several things."""
    if len(found) + begins <= 1 and choice.get("finish_reason") is None:
        return [chunk]
    extra = travelling(choice.get("delta") or {})
    start = [narrowed(chunk, choice, {"role": "assistant"})] if begins else []
    parts = [narrowed(chunk, choice, piece.part, {} if place else extra) for place, piece in enumerate(found)]
    return start + parts or [chunk]
