"""Upstreams that do not keep to their dialect."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gateway.dialects import ANTHROPIC, OPENAI_CHAT
from gateway.errors import UpstreamGarbled
from policies.events import Aside, BlockEnd, Event, Failure, Start, StreamTruncated
from tests.streams import STREAMED, recordings, request_for

REQUEST = request_for("any")
START = {"type": "message_start", "message": {"id": "i", "model": "m"}}
TEXT = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
TOOL = {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "f"}}
STOP = {"type": "content_block_stop", "index": 0}
SAID = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}}
DELTA = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
OTHER = {**TEXT, "index": 1}
CHUNK: Any = {"id": "i", "model": "m", "choices": [{"index": 0, "delta": {"content": "x"}}]}


def sse(*frames: Any) -> bytes:
    return b"".join(
        b"data: " + (frame if isinstance(frame, bytes) else orjson.dumps(frame)) + b"\n\n" for frame in frames
    )


def delta(**fields: Any) -> Any:
    return {"id": "i", "model": "m", "choices": [{"index": 0, "delta": fields}]}


ANTHROPIC_GARBLED = [
    sse(b"{nonsense"),
    sse(b"[1]"),
    sse({"no": "type"}),
    sse(START, START),
    sse(TEXT),
    sse(START, SAID),
    sse(START, STOP),
    sse(START, TEXT, {**SAID, "index": 1}),
    sse(START, TEXT, {**SAID, "delta": {"type": "text_delta", "text": 1}}),
    sse(START, TEXT, {**SAID, "delta": {"type": "input_json_delta", "partial_json": "x"}}),
    sse(START, TOOL, SAID),
    sse(START, TEXT, DELTA),
    sse(START, TEXT, OTHER, DELTA),
    sse(START, TEXT, {"type": "message_stop"}),
    sse(START, DELTA, TEXT),
    sse(DELTA),
    sse(START, TEXT, TEXT),
    sse(START, TEXT, OTHER, OTHER),
    sse(START, TEXT, OTHER, STOP, SAID),
    sse(START, TEXT, OTHER, STOP, STOP),
    sse({"type": "error", "error": "text"}),
]
CHAT_GARBLED = [
    sse(b"{nonsense"),
    sse(b'"text"'),
    sse(b"[" * 100_000),
    sse(b'{"a": NaN}'),
    sse({"choices": ["x"]}),
    sse({"choices": [{"delta": {"content": 1}}]}),
    sse({"choices": [{"delta": {"tool_calls": [1]}}]}),
    sse({"choices": [{"delta": {"tool_calls": [{"index": "first"}]}}]}),
    sse({**CHUNK, "choices": [{"index": 1, "delta": {"content": "x"}}]}),
    sse({**CHUNK, "choices": CHUNK["choices"] * 2}),
]
GARBLED = [pytest.param("anthropic", stream, id=f"anthropic-{at}") for at, stream in enumerate(ANTHROPIC_GARBLED)] + [
    pytest.param("openai_chat", stream, id=f"openai_chat-{at}") for at, stream in enumerate(CHAT_GARBLED)
]


@pytest.mark.parametrize(("dialect", "stream"), GARBLED)
def test_what_is_not_the_dialect_ends_the_stream(dialect: str, stream: bytes) -> None:
    with pytest.raises(UpstreamGarbled):
        STREAMED[dialect].reader(REQUEST).feed(stream)


@pytest.mark.parametrize(("dialect", "stream"), GARBLED)
def test_where_nobody_judges_it_travels(dialect: str, stream: bytes) -> None:
    events = STREAMED[dialect].reader(REQUEST, strict=False).feed(stream)
    assert STREAMED[dialect].writer(REQUEST).write(events) == stream or _is_kept_back(events)


def _is_kept_back(events: list[Event]) -> bool:
    """What stands beside blocks that interleave is told with them."""
    return not any(isinstance(event, BlockEnd) for event in events)


@pytest.mark.parametrize("dialect", STREAMED)
def test_a_last_frame_cut_in_its_middle_is_no_frame(dialect: str) -> None:
    reader = STREAMED[dialect].reader(REQUEST)
    reader.feed(dict(recordings(dialect))["text"][:-30])
    with pytest.raises(StreamTruncated):
        reader.close()


def test_a_done_without_a_finish_reason_is_not_an_end() -> None:
    reader = OPENAI_CHAT.reader(REQUEST)
    assert not any(isinstance(event, BlockEnd) for event in reader.feed(sse(delta(content="x"), b"[DONE]")))
    with pytest.raises(StreamTruncated):
        reader.close()


def test_an_error_beside_kept_blocks_tells_nothing_of_them() -> None:
    secret = {**OTHER, "content_block": {"type": "text", "text": "unjudged"}}
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}
    events = ANTHROPIC.reader(REQUEST).feed(sse(START, TEXT, secret, error))
    assert events[-1] == Failure("overloaded_error", "Busy")
    assert b"unjudged" not in ANTHROPIC.writer(REQUEST).write(events)
    calls = [{"index": at, "id": f"c{at}", "function": {"name": "f", "arguments": "unjudged"}} for at in (0, 1)]
    events = OPENAI_CHAT.reader(REQUEST).feed(sse(delta(tool_calls=calls), {"error": "Busy"}))
    assert events == [Start(), Failure("api_error", "Busy")]
    assert b"unjudged" not in OPENAI_CHAT.writer(REQUEST).write(events)


def test_calls_without_an_index_begin_with_an_id_or_a_name() -> None:
    first = {"id": "a", "function": {"name": "f", "arguments": "{"}}
    stream = sse(
        delta(tool_calls=[first]),
        delta(tool_calls=[{"function": {"arguments": "}"}}]),
        delta(tool_calls=[{"id": "b", "function": {"name": "g", "arguments": "{}"}}]),
        {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]},
        b"[DONE]",
    )
    (answer,) = OPENAI_CHAT.read_recorded(stream, streamed=True)
    assert [(call.id, call.arguments_text) for call in answer.tool_calls] == [("a", "{}"), ("b", "{}")]


@pytest.mark.parametrize("dialect", STREAMED)
def test_what_follows_the_end_only_travels_where_nobody_judges(dialect: str) -> None:
    stream = dict(recordings(dialect))["text"]
    reader = STREAMED[dialect].reader(REQUEST, strict=False)
    reader.feed(stream)
    assert reader.feed(stream) and all(isinstance(event, Aside) for event in reader.feed(stream))
    assert reader.close() == []


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("anthropic", b"oops"),
        ("anthropic", b"[]"),
        ("anthropic", b'{"type":"error","error":{"type":"api_error","message":"m"}}'),
        ("anthropic", b'{"type":"message","content":[{"type":"text"}]}'),
        ("anthropic", b'{"type":"message"}'),
        ("openai_chat", b'{"error":{"message":"m"}}'),
        ("openai_chat", b'{"choices":[]}'),
        ("openai_chat", b'{"choices":[{"message":{"content":1}}]}'),
        ("openai_chat", b'{"choices":[{}]}'),
    ],
)
def test_a_body_that_is_no_answer_is_garbled_and_recorded_as_nothing(dialect: str, body: bytes) -> None:
    with pytest.raises(UpstreamGarbled):
        STREAMED[dialect].read_answer(body)
    assert STREAMED[dialect].read_recorded(body, streamed=False) == []


def test_a_cut_record_tells_the_complete_blocks_beside_open_ones() -> None:
    closed = {**STOP, "index": 1}
    (answer,) = ANTHROPIC.read_recorded(sse(START, TEXT, OTHER, {**SAID, "index": 1}, closed), streamed=True)
    assert answer.blocks == ()
    (answer,) = ANTHROPIC.read_recorded(sse(START, TEXT, SAID, OTHER, STOP), streamed=True)
    assert answer.text == "x"
    failed = sse(delta(content="x"), delta(reasoning="y"), {"error": {"message": "Busy"}})
    (answer,) = OPENAI_CHAT.read_recorded(failed, streamed=True)
    assert answer.text == "x"
