"""OpenAI's whole chat completions: one JSON body to events and back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gateway.dialects.frames import is_one_frame, share_frame
from gateway.dialects.unambiguous import unambiguous_object
from gateway.dialects.wire_json import Json, completed, dumps
from gateway.errors import UpstreamGarbled
from policies.content import Block, Opaque, Text, Thinking, ToolCall
from policies.events import BlockDelta, BlockEnd, BlockStart, End, Event, Start, build_block

from .chunks import is_completion, part_of
from .pieces import REASONING, CallKeys, pieces, string
from .usage import read_reason, read_usage, write_reason, write_usage
from .writer import Boundary, text_field


def read_answer(body: bytes) -> list[Event]:
    """All events, one answer a choice, sharing one frame. Raises UpstreamGarbled."""
    source = unambiguous_object(body)
    choices = source.get("choices")
    if source.get("error") or not isinstance(choices, list) or not choices:
        raise UpstreamGarbled("the provider's answer is not a chat completion")
    try:
        events = [event for choice in choices for event in _choice_events(source, choice, choice is choices[-1])]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UpstreamGarbled("the provider's answer is malformed") from error
    share_frame(events, body)
    return events


def write_answer(events: Sequence[Event]) -> bytes:
    """The upstream's own body if all its events are there, else its minimal edit, else a body of ours."""
    frame = is_one_frame(events)
    if frame is not None:
        return frame.raw
    answers = list(_answers(events))
    start, _, end = answers[0]
    source = start.source if is_completion(start.source) else {}
    made: Json = {
        "id": start.id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": start.model,
        "choices": [],
    }
    known = {choice.get("index") or 0: choice for choice in source.get("choices", ())}
    choices = [_choice(known.get(start.choice), start, blocks, end) for start, blocks, end in answers]
    made["usage"] = write_usage(end.usage)
    return dumps({**completed(source, made), "choices": choices})


def _choice_events(source: Json, choice: Json, is_last: bool) -> Iterator[Event]:
    usage = read_usage(source.get("usage") if is_last else None)
    if choice.get("delta") or choice.get("text"):
        raise ValueError("a choice says something beside its message")
    index = choice.get("index") or 0
    yield Start(string(source.get("id")), string(source.get("model")), choice=index, source=source)
    for piece in pieces(choice["message"], CallKeys()):
        piece.start.source = piece.part
        yield piece.start
        if piece.text:
            yield BlockDelta(piece.text)
        yield BlockEnd()
    yield End(read_reason(string(choice.get("finish_reason"))), usage, source=choice)


def _answers(events: Sequence[Event]) -> Iterator[tuple[Start, list[Block], End]]:
    start, blocks = Start(), list[Block]()
    opening, deltas = BlockStart("text"), list[BlockDelta]()
    for event in events:
        match event:
            case Start():
                start, blocks = event, []
            case BlockStart():
                opening, deltas = event, []
            case BlockDelta():
                deltas.append(event)
            case BlockEnd():
                blocks.append(build_block(opening, deltas))
            case End():
                yield start, blocks, event


def _choice(source: Json | None, start: Start, blocks: list[Block], end: End) -> Json:
    known = source or {}
    old = known.get("message") or {}
    message = _message(old, blocks)
    legacy = "function_call" in message
    reason = write_reason(end.stop_reason, known.get("finish_reason") or "", legacy)
    made: Json = {"index": start.choice, "message": message, "logprobs": None, "finish_reason": reason}
    choice = {**(known or made), "message": message, "finish_reason": reason}
    if choice.get("logprobs") is not None and _texts(message) != _texts(old):
        choice["logprobs"] = None
    return choice


def _message(source: Json, blocks: list[Block]) -> Json:
    """The message with what it still says; fields for blocks that are gone go, and all unknown ones stay."""
    message = dict(source) or {"role": "assistant", "content": None, "refusal": None}
    fields = {**_text_fields(blocks), **_call_fields(blocks)}
    for name in ("tool_calls", "function_call", "audio", *REASONING):
        if name in message and not fields.get(name) and message[name]:
            del message[name]
    for name in ("content", "refusal"):
        if message.get(name) or fields.get(name):
            message[name] = fields.get(name)
    message.update((name, value) for name, value in fields.items() if value)
    if message.get("annotations") and message.get("content") != source.get("content"):
        message["annotations"] = []
    return message


def _text_fields(blocks: Iterable[Block]) -> Json:
    fields: Json = {}
    boundary = Boundary()
    for block in blocks:
        part = part_of(block.source)
        if isinstance(block, Thinking):
            name = next((name for name in REASONING if part.get(name)), REASONING[0])
            fields[name] = fields.get(name, "") + block.text
        elif isinstance(block, Text) and block.text:
            name = text_field(part)
            boundary.open(name, is_ours=not part)
            fields[name] = fields.get(name, "") + ("\n\n" if boundary.crossed() else "") + block.text
    return fields


def _call_fields(blocks: Iterable[Block]) -> Json:
    fields: Json = {}
    for block in blocks:
        part = part_of(block.source)
        if isinstance(block, Opaque):
            fields.update(part)
        elif isinstance(block, ToolCall) and "function_call" in part:
            edited = {"name": block.name, "arguments": block.arguments_text}
            fields["function_call"] = {**part["function_call"], **edited}
        elif isinstance(block, ToolCall):
            entry = (part.get("tool_calls") or [{}])[0]
            fields.setdefault("tool_calls", []).append(write_call(block, entry))
    return fields


def write_call(call: ToolCall, source: Json) -> Json:
    """A tool call of a message: its source with what differs."""
    kind, field = ("custom", "input") if call.custom else ("function", "arguments")
    inner = {**(source.get(kind) or {}), "name": call.name, field: call.arguments_text}
    return {**source, "id": call.id, "type": kind, kind: inner}


def _texts(message: Json) -> tuple[Any, Any]:
    return message.get("content"), message.get("refusal")
