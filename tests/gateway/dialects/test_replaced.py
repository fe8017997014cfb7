"""What a policy replaced is nowhere in what is written: in no event, announcement or repetition, and in no output."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from policies.content import Text, ToolCall, UnparsableArguments
from policies.events import BlockDelta, BlockEnd, BlockStart, Event, block_events, build_block
from tests.streams import STREAMED, answers, recordings, request_for

_SHORTEST = 4
"""Letters; shorter texts stand anywhere."""
_OURS = "replaced"


@pytest.mark.parametrize(
    ("dialect", "name", "stream"),
    [pytest.param(d, name, raw, id=f"{d} {name}") for d in STREAMED for name, raw in recordings(d)],
)
def test_nothing_of_a_replaced_block_is_in_the_stream(dialect: str, name: str, stream: bytes) -> None:
    request = request_for(name)
    reader = STREAMED[dialect].reader(request)
    events = [*reader.feed(stream), *reader.close()]
    replaced: set[str] = set()
    written = STREAMED[dialect].writer(request).write(list(_replaced(events, replaced)))
    frames = [line[5:] for line in written.replace(b"\r", b"\n").split(b"\n") if line.startswith(b"data:")]
    assert not replaced & _texts([json.loads(data) for data in frames if data.strip() != b"[DONE]"])


@pytest.mark.parametrize(
    ("dialect", "name", "body"),
    [pytest.param(d, name, body, id=f"{d} {name}") for d in STREAMED for name, body in answers(d)],
)
def test_nothing_of_a_replaced_block_is_in_the_answer(dialect: str, name: str, body: bytes) -> None:
    replaced: set[str] = set()
    events = list(_replaced(STREAMED[dialect].read_answer(body), replaced))
    assert not replaced & _texts(json.loads(STREAMED[dialect].write_answer(events, request_for(name))))


def _replaced(events: Iterable[Event], replaced: set[str]) -> Iterator[Event]:
    """`events` with other texts and other arguments; `replaced` takes what was said before."""
    start: BlockStart | None = None
    deltas: list[BlockDelta] = []
    for event in events:
        if isinstance(event, BlockStart) and (
            event.kind == "text" or (event.kind == "tool_call" and not event.executed)
        ):
            start, deltas = event, []
        elif start is None:
            yield event
        elif isinstance(event, BlockDelta):
            deltas.append(event)
        elif isinstance(event, BlockEnd):
            yield from _changed(start, deltas, replaced)
            start = None


def _changed(start: BlockStart, deltas: list[BlockDelta], replaced: set[str]) -> Iterable[Event]:
    block = build_block(start, deltas)
    if isinstance(block, ToolCall):
        replaced |= _texts(_arguments(block))
        return block_events(dataclasses.replace(block, arguments_text=json.dumps({_OURS: 1})))
    assert isinstance(block, Text)
    replaced |= _texts([block.text, *(delta.text for delta in deltas)])
    return block_events(dataclasses.replace(block, text=_OURS))


def _arguments(call: ToolCall) -> Any:
    try:
        return [call.arguments_text, call.arguments]
    except UnparsableArguments:
        return call.arguments_text


def _texts(value: Any) -> set[str]:
    """All texts in a JSON value that are long enough to be told apart."""
    if isinstance(value, str):
        return {value} if len(value.strip()) >= _SHORTEST else set()
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set().union(*map(_texts, children))
