"""What the writer makes of answers that a policy changed."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
import pytest

from gateway.dialects import OPENAI_CHAT
from policies.content import Opaque, Text, ToolCall, Usage
from policies.events import (
    Aside,
    BlockDelta,
    BlockEnd,
    BlockStart,
    End,
    Event,
    Failure,
    Start,
    block_events,
)
from tests.streams import answers, detached, recordings, request_for

STREAMS = dict(recordings("openai_chat"))
ANSWERS = dict(answers("openai_chat"))
REQUEST = request_for("any")


def read(name: str) -> list[Event]:
    reader = OPENAI_CHAT.reader(request_for(name))
    return reader.feed(STREAMS[name]) + reader.close()


def chunks(stream: bytes) -> list[Any]:
    return [orjson.loads(line[6:]) for line in stream.splitlines() if line.startswith(b"data: {")]


def written(*events: Event, usage_wanted: bool = True) -> bytes:
    writer = OPENAI_CHAT.writer(request_for("any", usage_wanted))
    return b"".join(writer.write([event]) for event in events)


def deltas(stream: bytes) -> list[Any]:
    return [choice["delta"] for chunk in chunks(stream) for choice in chunk["choices"]]


def content(stream: bytes) -> str:
    return "".join(delta.get("content") or "" for delta in deltas(stream))


def without_block(events: list[Event], place: int) -> list[Event]:
    starts = [at for at, event in enumerate(events) if isinstance(event, BlockStart)]
    ends = [at for at, event in enumerate(events) if isinstance(event, BlockEnd)]
    return events[: starts[place]] + events[ends[place] + 1 :]


def test_surviving_tool_calls_keep_their_id_and_are_numbered_without_a_gap() -> None:
    events = read("parallel_tool_calls")
    for kept in (without_block(events, 1), [*events[:1], *block_events(Text("No.")), *without_block(events, 1)[1:]]):
        calls = [call for delta in deltas(written(*kept)) for call in delta.get("tool_calls", [])]
        assert [(call["index"], call["id"]) for call in calls if "id" in call] == [(0, "call_b"), (1, "call_c")]
        assert [call["index"] for call in calls if "id" not in call] == [0, 0, 1]


def test_when_no_tool_call_is_left_the_answer_stops() -> None:
    *_, end = events = read("tool_call")
    assert isinstance(end, End)
    kept = [
        *without_block(events, 0)[:-1],
        *block_events(Text("No.")),
        dataclasses.replace(end, stop_reason="end_turn"),
    ]
    stream = written(*map(detached, kept))
    assert chunks(stream)[-2]["choices"][0]["finish_reason"] == "stop"
    assert content(stream) == "No."
    assert stream.endswith(b"data: [DONE]\n\n")


def test_the_upstreams_word_for_a_reason_is_kept_where_it_means_the_same() -> None:
    for name, reason in (
        ("function_call", "function_call"),
        ("tool_call", "tool_calls"),
        ("malformed_arguments", "length"),
    ):
        stream = written(*map(detached, read(name)))
        assert chunks(stream)[-2]["choices"][0]["finish_reason"] == reason


@pytest.mark.parametrize(
    ("untouched", "expected"), [(True, "Notice.\n\nHello there!"), (False, "Notice.\n\nHELLO THERE!")]
)
def test_a_blank_line_parts_a_notice_from_the_models_text(untouched: bool, expected: str) -> None:
    start, *rest = read("text")
    if not untouched:
        rest = [
            BlockDelta(event.text.upper(), source=event.source) if isinstance(event, BlockDelta) else event
            for event in rest
        ]
    assert content(written(start, *block_events(Text("Notice.")), *rest)) == expected


def test_a_blank_line_parts_the_models_text_from_a_notice_behind_it_and_two_notices() -> None:
    *events, end = read("text")
    notices = [*block_events(Text("One.")), *block_events(Text("Two."))]
    assert content(written(*events, *notices, end)) == "Hello there!\n\nOne.\n\nTwo."


def test_texts_of_the_model_are_not_parted() -> None:
    chunk = chunks(STREAMS["text"])[1]
    texts = [event for text in ("a", "b") for event in block_events(Text(text, source=chunk))]
    assert content(written(read("text")[0], *texts)) == "ab"


def test_an_edited_delta_keeps_its_chunk_but_not_the_odds_of_the_old_words() -> None:
    events = read("logprobs")
    delta = next(event for event in events if isinstance(event, BlockDelta))
    edited = chunks(written(events[0], events[1], BlockDelta("HI", source=delta.source)))[-1]
    original = delta.source
    assert edited["choices"] == [{"index": 0, "delta": {"content": "HI"}, "logprobs": None, "finish_reason": None}]
    assert {**edited, "choices": 0} == {**original, "choices": 0}


def test_refusals_reasoning_functions_and_custom_tools_are_written_in_their_own_fields() -> None:
    assert "".join(delta.get("refusal") or "" for delta in deltas(written(*map(detached, read("refusal"))))) == (
        "I'm sorry, I can't help."
    )
    reasoning = deltas(written(*map(detached, read("openrouter_reasoning"))))
    assert any(delta.get("reasoning") == "Hm" for delta in reasoning)
    function = deltas(written(*map(detached, read("function_call"))))
    assert function[1] == {"function_call": {"name": "get_weather", "arguments": ""}}
    custom = deltas(written(*map(detached, read("custom_tool"))))
    assert custom[2] == {"tool_calls": [{"index": 0, "custom": {"input": "*** Begin"}}]}


def test_a_stream_of_ours_is_complete() -> None:
    events = [Start("id", "m"), *block_events(Text("Hi")), End("end_turn", Usage(3, 4, 2, 1))]
    first, text, finish, usage = chunks(written(*events))
    assert (first["id"], first["object"], first["model"]) == ("id", "chat.completion.chunk", "m")
    assert first["choices"] == [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]
    assert text["choices"][0]["delta"] == {"content": "Hi"}
    assert finish["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert usage["choices"] == []
    assert usage["usage"] == {
        "prompt_tokens": 6,
        "completion_tokens": 4,
        "total_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
    }


def test_usage_goes_to_clients_that_asked_for_it_alone() -> None:
    events: list[Event] = [Start("id", "m"), End("end_turn", Usage(3, 4))]
    assert all("usage" not in chunk for chunk in chunks(written(*events, usage_wanted=False)))


@pytest.mark.parametrize("name", ["text", "spaced", "parallel_tool_calls", "azure", "moderation_after_finish"])
def test_a_client_that_did_not_ask_gets_the_stream_as_if_nobody_had(name: str) -> None:
    request = request_for(name, usage_wanted=False)
    reader = OPENAI_CHAT.reader(request)
    events = reader.feed(STREAMS[name]) + reader.close()
    stream = OPENAI_CHAT.writer(request).write(events)
    assert b'"usage"' not in stream
    assert [{**chunk, "usage": None} for chunk in chunks(stream)] == [
        {**chunk, "usage": None} for chunk in chunks(STREAMS[name]) if chunk.get("usage") is None
    ]
    end = events[-1]
    assert isinstance(end, End) and end.usage == Usage(11, 10, 8)


def test_usage_whose_place_is_not_sure_is_left() -> None:
    chunk = STREAMS["text"].split(b"\n\n")[1].replace(b'"logprobs":null', b'"usage":null') + b"\n\n"
    reader = OPENAI_CHAT.reader(request_for("any", usage_wanted=False))
    (event, *_) = reader.feed(chunk)
    assert event.frame is not None and event.frame.raw == chunk


def test_a_tool_call_of_ours_counts_up_behind_the_others() -> None:
    *events, end = read("tool_call")
    stream = written(*events, *block_events(ToolCall("call_new", "now", "{}")), end)
    calls = [call for delta in deltas(stream) for call in delta.get("tool_calls", []) if "id" in call]
    assert [(call["index"], call["id"]) for call in calls][-1] == (1, "call_new")


def test_a_chunk_that_says_several_things_is_written_apart_when_one_is_changed() -> None:
    events = read("one_chunk")
    changed: list[Event] = [
        BlockDelta("X", source=event.source) if event == BlockDelta("All at once") else event for event in events
    ]
    stream = written(*changed)
    assert fold_stream(stream).text == "X"
    assert [call.arguments_text for call in fold_stream(stream).tool_calls] == ["{}"]
    assert b"All at once" not in stream


def fold_stream(stream: bytes) -> Any:
    (answer,) = OPENAI_CHAT.read_recorded(stream, streamed=True)
    return answer


def test_the_text_of_a_frame_is_not_kept_waiting_but_its_silent_beginning_is() -> None:
    events = read("text")
    writer = OPENAI_CHAT.writer(REQUEST)
    writer.write(events[:1])
    assert writer.write(events[1:2]) == b""
    assert b"Hello" in writer.write(events[2:3])


def test_a_frame_that_lost_its_beginning_is_still_written_at_its_end() -> None:
    events = read("parallel_tool_calls")
    stream = written(*events[:1], *events[-6:])
    assert stream.endswith(b"data: [DONE]\n\n")


def test_each_choice_is_written_and_the_stream_ends_once() -> None:
    events = read("two_choices")
    writer = OPENAI_CHAT.writer(request_for("two_choices"))
    changed: list[Event] = [
        BlockDelta("?", source=event.source) if isinstance(event, BlockDelta) and event.text == "B" else event
        for event in events
    ]
    stream = b"".join(writer.write([event]) for event in changed)
    first, second = OPENAI_CHAT.read_recorded(stream, streamed=True)
    assert (first.text, second.text, second.stop_reason) == ("Aa", "?", "tool_use")
    assert stream.count(b"[DONE]") == 1
    made = OPENAI_CHAT.writer(request_for("two_choices"))
    both: list[Event] = [Start("i", "m"), End("end_turn"), Start("i", "m", choice=1), End("end_turn")]
    assert made.write(both).count(b"[DONE]") == 1


def test_untouched_choices_written_one_after_another_keep_their_bytes() -> None:
    events = read("two_choices")
    writer = OPENAI_CHAT.writer(request_for("two_choices"))
    assert b"".join(writer.write([event]) for event in events) == STREAMS["two_choices"]


def test_failures_and_asides_of_ours_are_written() -> None:
    stream = written(Aside(source={"x": 1}), Aside(), Failure("server_error", "Broken"))
    assert chunks(stream) == [
        {"x": 1},
        {"error": {"message": "Broken", "type": "server_error", "param": None, "code": None}},
    ]


def test_opaque_blocks_of_ours_cannot_be_said() -> None:
    assert written(*block_events(Opaque("card"))) == b""


def test_a_function_call_ends_as_one_and_emptied_fragments_say_nothing() -> None:
    *events, end = read("function_call")
    assert isinstance(end, End)
    changed = dataclasses.replace(end, source={**end.source, "reason": "stop"}, frame=None)
    stream = written(*events[:2], BlockDelta(""), *events[2:], changed)
    assert chunks(stream)[-2]["choices"][0]["finish_reason"] == "function_call"
    assert len(chunks(stream)) == len(chunks(STREAMS["function_call"]))


def test_half_a_surrogate_pair_is_written_as_it_came() -> None:
    stream = written(*map(detached, read("unicode")))
    assert rb"\ud83d" in stream and rb"\ude00" in stream and "世界".encode() in stream
