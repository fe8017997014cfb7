"""Every recorded stream: whole, in pieces, cut short, changed."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from gateway.dialects.base import StreamReader
from policies.content import Response, Text, ToolCall
from policies.events import Aside, End, Event, Failure, Grammar, StreamTruncated, fold
from tests.streams import STREAMED, answers, detached, recordings, request_for

STREAMS = [
    pytest.param(dialect, name, stream, id=f"{dialect}-{name}")
    for dialect in STREAMED
    for name, stream in recordings(dialect)
]
BODIES = [
    pytest.param(dialect, name, body, id=f"{dialect}-{name}") for dialect in STREAMED for name, body in answers(dialect)
]
APART = 300
"""More than most frames have bytes."""
STEP = 64


def read(dialect: str, name: str, chunks: Iterable[bytes]) -> list[Event]:
    reader = STREAMED[dialect].reader(request_for(name))
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return events + reader.close()


def write(dialect: str, name: str, events: Iterable[Event]) -> bytes:
    writer = STREAMED[dialect].writer(request_for(name))
    return b"".join(writer.write([event]) for event in events)


def told(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Aside)]


def split(events: Iterable[Event]) -> list[Response]:
    """One Response for each answer."""
    answers: list[list[Event]] = [[]]
    for event in events:
        answers[-1].append(event)
        if isinstance(event, End | Failure):
            answers.append([])
    return [fold(answer) for answer in answers if told(answer)]


def without_empty_texts(response: Response) -> Response:
    blocks = tuple(block for block in response.blocks if block != Text(""))
    return dataclasses.replace(response, blocks=blocks)


@pytest.mark.parametrize(("dialect", "name", "stream"), STREAMS)
def test_an_untouched_stream_is_written_as_it_came(dialect: str, name: str, stream: bytes) -> None:
    events = read(dialect, name, [stream])
    assert STREAMED[dialect].writer(request_for(name)).write(events) == stream


@pytest.mark.parametrize(("dialect", "name", "stream"), STREAMS)
def test_events_obey_the_grammar(dialect: str, name: str, stream: bytes) -> None:
    grammar = Grammar()
    for event in read(dialect, name, [stream]):
        grammar.check(event)
    assert grammar.complete


@pytest.mark.parametrize(("dialect", "name", "stream"), STREAMS)
def test_a_stream_fed_byte_by_byte_says_the_same(dialect: str, name: str, stream: bytes) -> None:
    events = read(dialect, name, [stream[at : at + 1] for at in range(len(stream))])
    assert told(events) == told(read(dialect, name, [stream]))
    assert STREAMED[dialect].writer(request_for(name)).write(events) == stream


@pytest.mark.parametrize(("dialect", "name", "stream"), STREAMS)
def test_a_stream_cut_in_two_between_lines_or_beside_says_the_same(dialect: str, name: str, stream: bytes) -> None:
    whole = told(read(dialect, name, [stream]))
    ends = {place + beside for place, byte in enumerate(stream) if byte in b"\r\n" for beside in (0, 1)}
    for cut in sorted(ends):
        events = read(dialect, name, [stream[:cut], stream[cut:]])
        assert told(events) == whole
        assert STREAMED[dialect].writer(request_for(name)).write(events) == stream


@pytest.mark.parametrize(("dialect", "name", "stream"), STREAMS)
def test_a_stream_cut_anywhere_says_the_same(dialect: str, name: str, stream: bytes) -> None:
    """At every offset once, in as few readings as leave `APART` bytes between two cuts."""
    whole = told(read(dialect, name, [stream]))
    for first in range(min(APART, len(stream))):
        cuts = [0, *range(first, len(stream), APART), len(stream)]
        events = read(dialect, name, [stream[begin:end] for begin, end in pairwise(cuts)])
        assert told(events) == whole
        assert STREAMED[dialect].writer(request_for(name)).write(events) == stream


@pytest.mark.parametrize(("dialect", "name", "stream"), STREAMS)
def test_a_stream_that_ends_early_completes_no_tool_call_that_was_not(dialect: str, name: str, stream: bytes) -> None:
    whole = [call for response in split(read(dialect, name, [stream])) for call in response.tool_calls]
    for cut, before, reader in ended_early(dialect, name, stream):
        events = [*before]
        try:
            events += reader.close()
        except StreamTruncated:
            assert not any(isinstance(event, End | Failure) for event in events), cut
        else:
            assert any(isinstance(event, End | Failure) for event in events), cut
        calls = [call for response in split(events) for call in response.tool_calls]
        assert calls == whole[: len(calls)], cut


def ended_early(dialect: str, name: str, stream: bytes) -> Iterator[tuple[int, list[Event], StreamReader]]:
    """For every offset the events up to there, and a reader that was fed so far.

    It is a copy of one that was fed almost so far: to read each of them from the beginning takes minutes.
    """
    for begin in range(0, len(stream), STEP):
        original = STREAMED[dialect].reader(request_for(name))
        before = original.feed(stream[:begin])
        packed = pickle.dumps(original)
        for cut in range(begin, min(begin + STEP, len(stream))):
            reader: StreamReader = pickle.loads(packed)
            yield cut, before + reader.feed(stream[begin:cut]), reader


@pytest.mark.parametrize(("dialect", "name", "stream"), STREAMS)
def test_a_stream_rewritten_without_its_own_bytes_says_the_same(dialect: str, name: str, stream: bytes) -> None:
    events = read(dialect, name, [stream])
    rewritten = write(dialect, name, map(detached, events))
    assert split(read(dialect, name, [rewritten])) == [without_empty_texts(answer) for answer in split(events)]


@pytest.mark.parametrize(("dialect", "name", "stream"), STREAMS)
def test_a_recorded_stream_is_told_whole_and_cut_anywhere_without_raising(
    dialect: str, name: str, stream: bytes
) -> None:
    recorded = STREAMED[dialect].read_recorded(stream, streamed=True)
    assert recorded == split(read(dialect, name, [stream]))
    blocks = [block for response in recorded for block in response.blocks]
    for cut in range(0, len(stream), 7):
        for response in STREAMED[dialect].read_recorded(stream[:cut], streamed=True):
            assert all(block in blocks for block in response.blocks)


@pytest.mark.parametrize(("dialect", "name", "body"), BODIES)
def test_an_untouched_answer_is_its_own_bytes(dialect: str, name: str, body: bytes) -> None:
    events = STREAMED[dialect].read_answer(body)
    grammar = Grammar()
    for event in events:
        grammar.check(event)
    assert grammar.complete
    assert STREAMED[dialect].write_answer(events) == body


@pytest.mark.parametrize(("dialect", "name", "body"), BODIES)
def test_an_answer_rewritten_without_its_own_bytes_is_the_same(dialect: str, name: str, body: bytes) -> None:
    events = STREAMED[dialect].read_answer(body)
    # Citations go with a block that was made anew; here only the End was.
    rewritten = STREAMED[dialect].write_answer([*events[:-1], detached(events[-1])])
    assert rewritten == body


@pytest.mark.parametrize(("dialect", "name", "body"), BODIES)
def test_streamed_and_unstreamed_say_the_same(dialect: str, name: str, body: bytes) -> None:
    stream = dict(recordings(dialect))[name]
    streamed = split(read(dialect, name, [stream]))
    assert [comparable(answer) for answer in streamed] == [
        comparable(answer) for answer in split(STREAMED[dialect].read_answer(body))
    ]


def comparable(response: Response) -> list[Any]:
    blocks = [
        (block.id, block.name, block.arguments, block.executed) if isinstance(block, ToolCall) else block
        for block in response.blocks
    ]
    return [response.id, response.model, blocks, response.stop_reason]
