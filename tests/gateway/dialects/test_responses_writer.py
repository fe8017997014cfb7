"""What our Responses writer makes where a policy changed something: one account, told the same wherever it is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import pytest

from gateway.dialects import OPENAI_RESPONSES
from gateway.dialects.openai_responses.reader import Reader
from policies.content import Opaque, Request, Response, Text, Thinking, Tool, ToolCall
from policies.events import (
    BlockDelta,
    BlockEnd,
    BlockStart,
    End,
    Event,
    Start,
    block_events,
    fold,
    response_events,
)
from tests.streams import answers, recordings, request_for

STREAMS = dict(recordings("openai_responses"))
ANSWERS = dict(answers("openai_responses"))
NOTICE = list(block_events(Text("Notice.")))


def read(name: str) -> list[Event]:
    reader = OPENAI_RESPONSES.reader(request_for(name))
    return reader.feed(STREAMS[name]) + reader.close()


def write(events: Iterable[Event]) -> bytes:
    writer = OPENAI_RESPONSES.writer(request_for("any"))
    return b"".join(writer.write([event]) for event in events)


def frames(stream: bytes) -> list[Any]:
    return [orjson.loads(line[6:]) for line in stream.split(b"\n") if line.startswith(b"data: ")]


def blocks(events: Sequence[Event]) -> list[tuple[int, int]]:
    """Where each block begins and ends."""
    starts = [at for at, event in enumerate(events) if isinstance(event, BlockStart)]
    ends = [at + 1 for at, event in enumerate(events) if isinstance(event, BlockEnd)]
    return list(zip(starts, ends, strict=True))


def without(events: list[Event], *gone: int) -> list[Event]:
    places = [range(*place) for at, place in enumerate(blocks(events)) if at in gone]
    return [event for at, event in enumerate(events) if not any(at in place for place in places)]


def agree(stream: bytes) -> list[Any]:
    """The items of a stream, once all that is said of them is one and the same."""
    told = frames(stream)
    numbers = [event["sequence_number"] for event in told if "sequence_number" in event]
    assert numbers == sorted(set(numbers))
    added = [event for event in told if event["type"] == "response.output_item.added"]
    done = [event for event in told if event["type"] == "response.output_item.done"]
    assert (
        [event["output_index"] for event in added] == [event["output_index"] for event in done] == [*range(len(done))]
    )
    assert [event["item"]["id"] for event in added] == [event["item"]["id"] for event in done]
    items = [event["item"] for event in done]
    assert told[-1]["response"]["output"] == items
    for index, item in enumerate(items):
        _agrees([event for event in told if event.get("output_index") == index], item)
    Reader().feed(stream)
    return items


def _agrees(told: list[Any], item: Any) -> None:
    assert all(event.get("item_id", item["id"]) == item["id"] for event in told)
    for at, part in enumerate(item.get("content") or ()):
        if "text" in part:
            deltas = [e["delta"] for e in told if e.get("content_index") == at and e["type"].endswith(".delta")]
            assert "".join(deltas) == part["text"] or not deltas


@pytest.mark.parametrize(
    "name", [name for name in STREAMS if name not in ("error_first", "error_in_mid_stream", "failed")]
)
def test_a_notice_in_front_moves_all_that_follows(name: str) -> None:
    events = read(name)
    first = next(at for at, event in enumerate(events) if isinstance(event, BlockStart))
    items = agree(write([*events[:first], *NOTICE, *events[first:]]))
    assert items[0]["content"][0]["text"] == "Notice."


@pytest.mark.parametrize(
    "name", [name for name in STREAMS if name not in ("error_first", "error_in_mid_stream", "failed")]
)
def test_whatever_is_taken_out_is_gone_everywhere(name: str) -> None:
    events = read(name)
    for place in range(len(blocks(events))):
        left = without(events, place)
        stream = write(left)
        agree(stream)
        (said,) = OPENAI_RESPONSES.read_recorded(stream, streamed=True)
        expected = fold(left).blocks
        assert [block for block in said.blocks if block != Text("")] == [b for b in expected if b != Text("")]


def test_text_that_is_edited_is_the_same_in_every_place_and_loses_what_was_said_of_it() -> None:
    events = [
        dataclasses.replace(event, text="IT RAINS.", frame=None)
        if isinstance(event, BlockDelta) and event.text == "rains."
        else event
        for event in read("web_search")
    ]
    item = agree(write(events))[1]
    assert item["content"] == [{"type": "output_text", "annotations": [], "logprobs": [], "text": "It IT RAINS."}]


def test_a_delta_that_is_dropped_makes_the_rest_be_written_anew() -> None:
    events = read("text")
    first = next(at for at, event in enumerate(events) if isinstance(event, BlockDelta))
    stream = write(events[:first] + events[first + 1 :])
    assert agree(stream)[0]["content"][0]["text"] == "there, friend"


def test_frames_before_a_change_keep_their_bytes() -> None:
    events = read("parallel_tool_calls")
    stream = write(without(events, 2))
    third = STREAMS["parallel_tool_calls"].index(b'"call_id":"call_b"')
    kept = STREAMS["parallel_tool_calls"][:third].rpartition(b"\n\n")[0]
    assert stream.startswith(kept)
    assert [item["call_id"] for item in agree(stream)[1:]] == ["call_a", "call_c"]


def test_arguments_that_are_edited_are_the_same_in_every_place() -> None:
    events = read("tool_call")
    start, end = blocks(events)[1]
    call = fold(events).tool_calls[0]
    changed = block_events(dataclasses.replace(call, arguments_text='{"a":1}', name="other", id="call_z"))
    stream = write([*events[:start], *changed, *events[end:]])
    item = agree(stream)[1]
    assert item == {**item, "id": "fc_a", "arguments": '{"a":1}', "name": "other", "call_id": "call_z"}
    done = next(e for e in frames(stream) if e["type"] == "response.function_call_arguments.done")
    assert (done["arguments"], done["name"]) == ('{"a":1}', "other")


@pytest.mark.parametrize(
    ("text", "action"), [('{"action":{"command":["pwd"]}}', {"command": ["pwd"]}), ("no json", None)]
)
def test_calls_with_arguments_of_another_form_are_edited_in_their_fields(text: str, action: Any) -> None:
    events = read("client_tools")
    start, end = blocks(events)[0]
    call = fold(events).tool_calls[0]
    changed = block_events(dataclasses.replace(call, arguments_text=text))
    stream = write([*events[:start], *changed, *events[end:]])
    item = agree(stream)[0]
    assert (item["type"], item.get("action")) == ("local_shell_call", action)
    assert b"-lc" not in stream, "a client is told what was replaced"


@pytest.mark.parametrize("name", ["hosted_tools", "reasoning_summary", "mcp", "unknown_things", "client_tools"])
def test_blocks_that_are_told_anew_say_what_they_said(name: str) -> None:
    events = read(name)
    before = fold(events)
    told: list[Event] = [events[0], *(e for block in before.blocks for e in block_events(block)), events[-1]]
    stream = write(told)
    agree(stream)
    (after,) = OPENAI_RESPONSES.read_recorded(stream, streamed=True)
    assert after.blocks == before.blocks
    assert not any(item.get("status") == "in_progress" for item in agree(stream))


def test_what_nobody_could_write_is_left_out_whole() -> None:
    strange: list[Event] = [BlockStart("opaque", type="document"), BlockDelta("x"), BlockEnd()]
    assert agree(write([Start("r", "m"), *strange, *NOTICE, End()]))[0]["type"] == "message"


def test_nothing_said_between_a_start_and_its_text_changes_nothing() -> None:
    events: list[Event] = [Start("r", "m"), BlockStart("text"), BlockDelta(""), BlockDelta("x"), BlockEnd(), End()]
    assert agree(write(events))[0]["content"][0]["text"] == "x"


def test_a_replaced_text_of_several_parts_stays_in_its_message() -> None:
    events = read("two_parts")
    start, end = blocks(events)[0]
    said = fold(events).blocks[0]
    assert isinstance(said, Text)
    items = agree(write([*events[:start], *block_events(dataclasses.replace(said, text="New. ")), *events[end:]]))
    assert [part.get("text", part.get("refusal")) for part in items[0]["content"]] == ["New. ", "and no more."]
    assert items[1]["content"][0]["text"] == "Another message."


def test_an_emptied_text_was_never_there_but_what_waited_with_it_is_told() -> None:
    events = [event for event in read("unknown_things") if not (isinstance(event, BlockDelta) and event.text)]
    stream = write(events)
    assert [part["type"] for part in agree(stream)[1]["content"]] == ["output_hologram"]
    # One stood within the end of the message, which is written anew.
    assert stream.count(b": ping") == STREAMS["unknown_things"].count(b": ping") - 1


def test_a_part_that_is_emptied_behind_another_leaves_that() -> None:
    events = read("two_parts")
    second = blocks(events)[1]
    kept = [e for at, e in enumerate(events) if at not in range(*second) or not isinstance(e, BlockDelta)]
    assert [part["type"] for part in agree(write(kept))[0]["content"]] == ["output_text"]


def test_a_tool_call_is_not_complete_before_its_end_is_written() -> None:
    events = read("tool_call")
    writer = OPENAI_RESPONSES.writer(request_for("any"))
    end = blocks(events)[1][1] - 1
    told = frames(b"".join(writer.write([event]) for event in events[:end]))
    assert not any(e["type"] == "response.function_call_arguments.done" for e in told)
    assert [e["item"]["type"] for e in told if e["type"] == "response.output_item.done"] == ["reasoning"]


def test_an_answer_from_nothing_is_well_formed() -> None:
    said = (
        Thinking("hm", "sealed"),
        Thinking("", "only sealed"),
        Text("Hello"),
        ToolCall("c1", "f", '{"a":1}'),
        ToolCall("c2", "patch", "*** x", custom=True),
        ToolCall("c3", "search", "{}", executed=True),
        ToolCall("", "search", "{}", executed=True),
        Opaque("document"),
        Text("Bye"),
    )
    response = Response("r", "m", said, "tool_use")
    stream = write(response_events(response))
    items = agree(stream)
    assert [item["type"] for item in items] == [
        *("reasoning", "reasoning", "message", "function_call", "custom_tool_call", "mcp_call", "mcp_call", "message")
    ]
    assert len({item["id"] for item in items}) == len(items)
    assert [item.get("status", "completed") for item in items] == ["completed"] * len(items)
    whole = orjson.loads(OPENAI_RESPONSES.write_answer(list(response_events(response))))
    assert whole["output"] == items
    assert whole.keys() == frames(stream)[-1]["response"].keys()


def test_names_in_a_namespace_are_found_again() -> None:
    inner = {"type": "function", "name": "read"}
    space = {"type": "namespace", "name": "mcp__files__", "tools": [inner]}
    request = Request("m", tools=(Tool("mcp__files__read", source={"namespace": space, "tool": inner}),))
    response = Response("r", "m", (ToolCall("c", "mcp__files__read", "{}"),), "tool_use")
    events = list(response_events(response))
    stream = OPENAI_RESPONSES.writer(request).write(events)
    for item in (agree(stream)[0], orjson.loads(OPENAI_RESPONSES.write_answer(events, request))["output"][0]):
        assert (item["name"], item["namespace"]) == ("read", "mcp__files__")
    (again,) = OPENAI_RESPONSES.read_recorded(stream, streamed=True)
    assert again.tool_calls[0].name == "mcp__files__read"


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("end_turn", "completed", None),
        ("max_tokens", "incomplete", {"reason": "max_output_tokens"}),
        ("refusal", "incomplete", {"reason": "content_filter"}),
        ("new", "incomplete", {"reason": "new"}),
    ],
)
def test_how_an_answer_ended_is_said(reason: str, status: str, details: Any) -> None:
    stream = write(response_events(Response("r", "m", (Text("x"),), reason)))
    last = frames(stream)[-1]
    assert (last["type"], last["response"]["status"]) == (f"response.{status}", status)
    assert last["response"]["incomplete_details"] == details
    assert OPENAI_RESPONSES.read_recorded(stream, streamed=True)[0].stop_reason == reason


def test_another_stop_reason_is_written_over_the_providers_own() -> None:
    *events, end = read("incomplete")
    assert isinstance(end, End)
    stream = write([*events, dataclasses.replace(end, stop_reason="end_turn", frame=None)])
    assert frames(stream)[-1]["type"] == "response.completed"


def test_a_text_that_servers_repeat_beside_the_items_is_edited_too() -> None:
    body = {**orjson.loads(ANSWERS["text"]), "output_text": "Hello there, friend"}
    events = OPENAI_RESPONSES.read_answer(orjson.dumps(body))
    *head, end = events
    written = orjson.loads(OPENAI_RESPONSES.write_answer([*head, *NOTICE, end]))
    assert written["output_text"] == "Hello there, friendNotice."


def test_a_whole_answer_keeps_a_text_that_came_empty_and_loses_one_that_was_emptied() -> None:
    part = {"type": "output_text", "text": "", "annotations": []}
    full = {**part, "text": "x"}
    item = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part, full]}
    events = OPENAI_RESPONSES.read_answer(orjson.dumps({"id": "i", "model": "m", "output": [item]}))
    kept = [event for event in events if not isinstance(event, BlockDelta)]
    assert orjson.loads(OPENAI_RESPONSES.write_answer(kept))["output"] == [{**item, "content": [part]}]
    made: list[Event] = [Start(), BlockStart("text"), BlockDelta(""), BlockEnd(), End()]
    assert orjson.loads(OPENAI_RESPONSES.write_answer(made))["output"] == []
