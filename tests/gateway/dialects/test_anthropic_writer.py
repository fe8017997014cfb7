"""What the writer makes of answers that a policy changed."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson

from gateway.dialects import ANTHROPIC
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
    fold,
)
from tests.streams import answers, detached, recordings, request_for

STREAMS = dict(recordings("anthropic"))
ANSWERS = dict(answers("anthropic"))
REQUEST = request_for("any")


def read(name: str) -> list[Event]:
    reader = ANTHROPIC.reader(REQUEST)
    return reader.feed(STREAMS[name]) + reader.close()


def frames(stream: bytes) -> list[Any]:
    return [orjson.loads(line[6:]) for line in stream.splitlines() if line.startswith(b"data: ")]


def write(*events: Event) -> list[Any]:
    writer = ANTHROPIC.writer(REQUEST)
    return frames(b"".join(writer.write([event]) for event in events))


def without_block(events: list[Event], place: int) -> list[Event]:
    starts = [at for at, event in enumerate(events) if isinstance(event, BlockStart)]
    ends = [at for at, event in enumerate(events) if isinstance(event, BlockEnd)]
    return events[: starts[place]] + events[ends[place] + 1 :]


def indices(written: list[Any]) -> list[int]:
    return [frame["index"] for frame in written if frame["type"] == "content_block_start"]


def test_blocks_are_renumbered_when_one_is_gone_and_keep_all_else() -> None:
    events = without_block(read("parallel_tools"), 0)
    written = write(*events)
    assert indices(written) == [0, 1]
    assert [frame["index"] for frame in written if frame["type"] == "content_block_stop"] == [0, 1]
    assert written[1]["content_block"]["id"] == "toolu_01B"
    again = ANTHROPIC.read_recorded(ANTHROPIC.writer(REQUEST).write(events), streamed=True)
    assert again == [fold(events)]


def test_a_block_put_in_front_moves_the_others() -> None:
    events = read("tool_use")
    written = write(events[0], *block_events(Text("Notice.")), *events[1:])
    assert indices(written) == [0, 1, 2]


def test_an_edited_delta_keeps_the_fields_it_came_with() -> None:
    start, opening, delta, *_ = read("unknown_things")[:1] + read("text")[1:2] + read("text")[3:4]
    assert isinstance(delta, BlockDelta)
    source = {**delta.source, "new": {"kept": True}}
    written = write(start, opening, dataclasses.replace(delta, text="HELLO", frame=None, source=source))
    assert written[-1] == {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "HELLO"},
        "new": {"kept": True},
    }


def test_a_changed_end_changes_the_stop_reason_alone() -> None:
    *rest, end = read("container")
    assert isinstance(end, End)
    (delta, stop) = write(*rest, dataclasses.replace(end, stop_reason="end_turn", frame=None))[-2:]
    assert delta["delta"]["stop_reason"] == "end_turn"
    assert delta["delta"]["container"] == end.source["message_delta"]["delta"]["container"]
    assert stop == {"type": "message_stop"}


def test_several_message_deltas_become_one_when_changed() -> None:
    *_, end = read("several_message_deltas")
    assert isinstance(end, End)
    assert (end.stop_reason, end.usage.input_tokens, end.usage.output_tokens) == ("stop_sequence", 30, 7)
    delta, _ = write(detached(end))
    assert delta["usage"] == {"output_tokens": 7, "input_tokens": 30}


def test_a_text_block_that_lost_its_text_is_not_written_and_pings_are() -> None:
    start, opening, ping, *_ = read("text")
    assert isinstance(ping, Aside)
    end = next(event for event in read("text") if isinstance(event, BlockEnd))
    written = write(start, opening, ping, end, *block_events(Text("after")))
    assert [frame["type"] for frame in written[:3]] == ["message_start", "ping", "content_block_start"]
    assert indices(written) == [0]
    made = write(start, BlockStart("text"), Aside(source={"type": "ping"}), BlockDelta(""), BlockEnd())
    assert [frame["type"] for frame in made] == ["message_start", "ping"]


def test_an_empty_text_block_of_the_model_keeps_its_place_among_renumbered_ones() -> None:
    events = read("empty_text")
    written = write(events[0], *block_events(Text("first")), *events[1:])
    assert indices(written) == [0, 1, 2]


def test_a_tool_call_with_other_arguments_starts_with_an_empty_input() -> None:
    events = read("tool_input_in_start")
    call = fold(events).tool_calls[0]
    changed = call.with_arguments({"city": "Bergen"})
    written = write(events[0], *block_events(changed))
    assert written[1]["content_block"] == {
        "type": "tool_use",
        "id": "toolu_01S",
        "name": "get_weather",
        "input": {},
        "caller": {"type": "direct"},
    }
    assert written[2]["delta"] == {"type": "input_json_delta", "partial_json": '{"city":"Bergen"}'}


def test_a_text_made_of_a_tool_call_has_nothing_of_it() -> None:
    call = fold(read("tool_use")).tool_calls[0]
    written = write(read("tool_use")[0], *block_events(Text("No.", source=call.source)))
    assert written[1]["content_block"] == {"type": "text", "text": ""}


def test_opaque_blocks_of_ours_and_of_theirs_are_written() -> None:
    events = read("compaction")
    written = write(events[0], *block_events(Opaque("card")), *map(detached, events[1:]))
    assert written[1]["content_block"] == {"type": "card"}
    assert (written[3]["content_block"]["type"], written[3]["index"]) == ("compaction", 1)
    assert (written[4]["delta"]["type"], written[4]["index"]) == ("compaction_delta", 1)


def test_an_interleaved_frame_is_written_anew_where_it_is_not_whole() -> None:
    events = read("interleaved_blocks")
    written = write(*without_block(events, 1))
    assert indices(written) == [0, 1, 2]
    shifted = ANTHROPIC.writer(REQUEST).write([events[0], *block_events(Text("x")), *events[1:]])
    assert indices(frames(shifted)) == [0, 1, 2, 3, 4]


def test_text_of_a_frame_is_not_kept_waiting_for_the_rest_of_it() -> None:
    events = read("interleaved_blocks")
    writer = ANTHROPIC.writer(REQUEST)
    writer.write(events[:3])
    assert isinstance(events[3], BlockDelta) and events[3].text == "two"
    assert b'"two"' in writer.write(events[3:4])


def test_the_same_event_told_twice_is_not_taken_for_a_whole_frame() -> None:
    events = read("tool_input_in_start")
    written = write(events[0], events[1], events[1], events[2], events[3])
    assert [frame["type"] for frame in written].count("content_block_start") == 2


def test_an_answer_of_ours_has_every_required_field() -> None:
    start, delta, stop = write(Start("msg_1", "m"), End("end_turn"))
    assert start["message"] == {
        "type": "message",
        "role": "assistant",
        "id": "msg_1",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 0,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 0,
        },
    }
    assert delta["delta"] == {"stop_sequence": None, "stop_reason": "end_turn"}
    assert stop == {"type": "message_stop"}


def test_a_failure_is_written_as_an_error() -> None:
    assert write(Failure("overloaded_error", "Busy")) == [
        {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}
    ]


def test_a_whole_answer_changes_only_in_the_block_that_was_changed() -> None:
    body = ANSWERS["web_search"]
    events = ANTHROPIC.read_answer(body)
    changed = [
        dataclasses.replace(event, text=event.text.upper(), frame=None) if isinstance(event, BlockDelta) else event
        for event in events[:3]
    ] + events[3:]
    before, after = orjson.loads(body), orjson.loads(ANTHROPIC.write_answer(changed))
    assert after["content"][0] == {"type": "text", "text": "I'LL SEARCH."}
    assert after["content"][1:] == before["content"][1:]
    assert {**after, "content": 0} == {**before, "content": 0}


def test_replaced_text_of_a_whole_answer_loses_its_citations_and_emptied_text_goes() -> None:
    events = ANTHROPIC.read_answer(ANSWERS["web_search"])
    *_, cited = fold(events).blocks
    assert isinstance(cited, Text)
    kept = without_block(events, 3)[:-1]
    replaced = [*kept, *block_events(dataclasses.replace(cited, text="Redacted.")), events[-1]]
    content = orjson.loads(ANTHROPIC.write_answer(replaced))["content"]
    assert content[-1] == {"type": "text", "text": "Redacted.", "citations": None}
    emptied = [*kept, BlockStart("text"), BlockEnd(), events[-1]]
    assert len(orjson.loads(ANTHROPIC.write_answer(emptied))["content"]) == 3


def test_arguments_that_are_no_object_are_wrapped_in_one() -> None:
    events: list[Event] = [Start("i", "m"), *block_events(ToolCall("1", "f", "[1")), End("tool_use")]
    answer = orjson.loads(ANTHROPIC.write_answer(events))
    assert answer["content"][0]["input"] == {"arguments": "[1"}


def test_blocks_whose_source_lacks_fields_are_written_with_all_of_them() -> None:
    usage = {"input_tokens": 1, "output_tokens": 2, "service_tier": "standard"}
    events: list[Event] = [
        Start("i", "m"),
        *block_events(Text("a", source={"type": "text", "mood": "calm"})),
        *block_events(Text("b", source="not JSON of ours")),
        *block_events(Opaque("card")),
        End("end_turn", Usage(1, 2, source=usage)),
    ]
    answer = orjson.loads(ANTHROPIC.write_answer(events))
    assert answer["content"] == [
        {"type": "text", "mood": "calm", "text": "a"},
        {"type": "text", "text": "b"},
        {"type": "card"},
    ]
    assert answer["usage"] == usage
