"""Responses streams that end badly, or that make no sense."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gateway.dialects import OPENAI_RESPONSES
from gateway.dialects.openai_responses.reader import Reader
from gateway.errors import UpstreamGarbled, UpstreamStalled
from policies.events import Aside, Failure, Start, StreamTruncated
from tests.gateway.dialects.test_responses_writer import STREAMS, frames, read, write
from tests.streams import detached, request_for


def test_a_failure_is_told_to_those_who_know_it_by_either_event() -> None:
    told = frames(write([Start("r", "m"), Failure("rate_limit_exceeded", "Slow down.")]))
    assert [event["type"] for event in told[-2:]] == ["error", "response.failed"]
    assert (
        told[-2]["error"]["message"] == told[-2]["message"] == told[-1]["response"]["error"]["message"] == "Slow down."
    )
    ours = frames(OPENAI_RESPONSES.write_failure(UpstreamStalled("Silent."), "call_1"))
    assert [event["type"] for event in ours] == ["error", "response.failed"]
    assert ours[0]["sequence_number"] < ours[1]["sequence_number"]


def test_both_events_of_a_failure_are_read_as_one() -> None:
    stream = write([Start("r", "m"), Failure("server_error", "Broken.")])
    events = OPENAI_RESPONSES.reader(request_for("any")).feed(stream)
    assert [type(event) for event in events] == [Start, Aside, Failure, Aside]
    assert OPENAI_RESPONSES.error_kind("server_is_overloaded") == "overloaded"
    assert OPENAI_RESPONSES.error_type("rate_limit") == "rate_limit_exceeded"


def test_a_failure_brings_nothing_of_a_call_that_was_not_complete() -> None:
    stream = STREAMS["tool_call"]
    done = stream.index(b"event: response.output_item.done", stream.index(b"function_call_arguments.done"))
    events = OPENAI_RESPONSES.reader(request_for("any")).feed(
        stream[:done] + b'data: {"type":"error","message":"m"}\n\n'
    )
    failure = events[-1]
    assert isinstance(failure, Failure)
    assert b"arguments.done" not in write([failure])


def test_a_cut_overlap_still_tells_the_items_that_were_whole() -> None:
    stream = STREAMS["interleaved_items"]
    (said,) = OPENAI_RESPONSES.read_recorded(
        stream[: stream.rindex(b"event: response.function_call_arguments.done")], True
    )
    assert [block.kind for block in said.blocks] == ["tool_call", "text", "tool_call"]
    begun = stream[: stream.index(b"event: response.web_search_call.completed")]
    assert OPENAI_RESPONSES.read_recorded(begun, True)[0].blocks == ()


def test_an_overlap_that_is_cut_before_its_first_item_is_whole_tells_none() -> None:
    stream = STREAMS["interleaved_items"]
    done = stream.index(b"event: response.output_item.done")
    reader = Reader()
    reader.feed(stream[:done])
    assert reader.salvage() == []


def test_a_stream_without_its_end_is_truncated() -> None:
    reader = OPENAI_RESPONSES.reader(request_for("any"))
    reader.feed(STREAMS["text"][: STREAMS["text"].index(b"event: response.completed")])
    with pytest.raises(StreamTruncated):
        reader.close()


def test_what_makes_no_sense_travels_where_nobody_judges() -> None:
    odd = STREAMS["text"].replace(b'"item_id":"msg_1","output_index":0', b'"item_id":"msg_1","output_index":7')
    reader = OPENAI_RESPONSES.reader(request_for("any"), strict=False)
    events = reader.feed(odd)
    assert OPENAI_RESPONSES.writer(request_for("any")).write(events) == odd
    with pytest.raises(UpstreamGarbled):
        OPENAI_RESPONSES.reader(request_for("any")).feed(odd)


def test_edited_asides_and_pings_keep_their_order() -> None:
    stream = write(map(detached, read("unknown_things")))
    types = [event["type"] for event in frames(stream)]
    assert types.index("response.rate_limits.updated") < types.index("response.output_item.added")
    assert "keepalive" in types


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"type": "error", "code": "c", "message": "m"}, ("c", "m")),
        ({"type": "error", "error": {"type": "t", "code": None, "message": "m"}}, ("t", "m")),
        ({"type": "response.failed", "response": {"error": {"code": "c", "message": "m"}}}, ("c", "m")),
        ({"type": "response.failed", "response": None}, ("server_error", "")),
        ({"type": "error"}, ("server_error", "")),
    ],
)
def test_an_error_is_read_wherever_it_stands(error: Any, told: tuple[str, str]) -> None:
    (start, failure) = OPENAI_RESPONSES.reader(request_for("any")).feed(b"data: " + orjson.dumps(error) + b"\n\n")
    assert isinstance(start, Start) and isinstance(failure, Failure)
    assert (failure.type, failure.message) == told


@pytest.mark.parametrize("body", [b"{}", b'{"output":[1]}', b'{"output":[{}]}', b'{"status":"failed","output":[]}'])
def test_an_answer_that_is_none_is_garbled(body: bytes) -> None:
    with pytest.raises(UpstreamGarbled):
        OPENAI_RESPONSES.read_answer(body)
    assert OPENAI_RESPONSES.read_recorded(body, streamed=False) == []


@pytest.mark.parametrize(
    "frame", [b"data: 1\n\n", b'data: {"type":1}\n\n', b'data: {"type":"response.created","response":1}\n\n']
)
def test_a_frame_that_is_none_is_garbled_or_travels(frame: bytes) -> None:
    with pytest.raises(UpstreamGarbled):
        OPENAI_RESPONSES.reader(request_for("any")).feed(frame)
    (aside,) = OPENAI_RESPONSES.reader(request_for("any"), strict=False).feed(frame)
    assert OPENAI_RESPONSES.writer(request_for("any")).write([aside]) == frame
