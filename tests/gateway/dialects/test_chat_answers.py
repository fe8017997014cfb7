"""Whole answers that a policy changed."""

from __future__ import annotations

import dataclasses

import orjson

from gateway.dialects import OPENAI_CHAT
from policies.content import Opaque, Text, Thinking, ToolCall
from policies.events import BlockDelta, BlockEnd, BlockStart, End, Event, Start, block_events, fold
from tests.streams import answers, detached

ANSWERS = dict(answers("openai_chat"))


def without_block(events: list[Event], place: int) -> list[Event]:
    starts = [at for at, event in enumerate(events) if isinstance(event, BlockStart)]
    ends = [at for at, event in enumerate(events) if isinstance(event, BlockEnd)]
    return events[: starts[place]] + events[ends[place] + 1 :]


def test_unstreamed_texts_are_parted_in_the_same_way() -> None:
    events = OPENAI_CHAT.read_answer(ANSWERS["text"])
    message = orjson.loads(OPENAI_CHAT.write_answer([*events[:-1], *block_events(Text("Notice.")), events[-1]]))
    assert message["choices"][0]["message"]["content"] == "Hello there!\n\nNotice."


def test_a_whole_answer_changes_only_where_it_was_changed() -> None:
    events = OPENAI_CHAT.read_answer(ANSWERS["parallel_tool_calls"])
    *rest, end = without_block(events, 1)
    after = orjson.loads(OPENAI_CHAT.write_answer([*rest, end]))
    before = orjson.loads(ANSWERS["parallel_tool_calls"])
    message = before["choices"][0]["message"]
    assert after["choices"][0]["message"] == {**message, "tool_calls": message["tool_calls"][1:]}
    assert {**after, "choices": 0} == {**before, "choices": 0}


def test_a_whole_answer_without_tools_stops_and_has_no_empty_list_of_them() -> None:
    *rest, end = without_block(OPENAI_CHAT.read_answer(ANSWERS["tool_call"]), 0)
    assert isinstance(end, End)
    events = [*rest, *block_events(Text("No.")), dataclasses.replace(end, stop_reason="end_turn", frame=None)]
    choice = orjson.loads(OPENAI_CHAT.write_answer(events))["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert "tool_calls" not in choice["message"]
    assert choice["message"]["content"] == "No."


def test_changed_words_of_a_whole_answer_lose_odds_and_annotations() -> None:
    body = orjson.loads(ANSWERS["logprobs"])
    body["choices"][0]["message"]["annotations"] = [{"type": "url_citation"}]
    events = OPENAI_CHAT.read_answer(orjson.dumps(body))
    changed = [BlockDelta("HI") if isinstance(event, BlockDelta) else event for event in events]
    choice = orjson.loads(OPENAI_CHAT.write_answer(changed))["choices"][0]
    assert (choice["message"]["content"], choice["logprobs"], choice["message"]["annotations"]) == ("HI", None, [])


def test_other_parts_of_a_whole_message_are_read_and_written() -> None:
    message = {
        "role": "assistant",
        "content": None,
        "reasoning": "hm",
        "audio": {"id": "audio_1"},
        "function_call": {"name": "f", "arguments": "{}"},
        "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "p", "input": "x"}}],
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    events = OPENAI_CHAT.read_answer(orjson.dumps({"id": "i", "model": "m", "choices": [choice]}))
    blocks = fold(events).blocks
    assert blocks == (Thinking("hm"), ToolCall("c", "p", "x", custom=True), ToolCall("", "f", "{}"), Opaque("audio"))
    again = orjson.loads(OPENAI_CHAT.write_answer(list(map(detached, events))))
    assert again["choices"] == [choice]


def test_a_completed_turn_of_ours_is_a_whole_answer() -> None:
    events = [Start("id", "m"), *block_events(Text("Blocked.")), End("end_turn")]
    answer = orjson.loads(OPENAI_CHAT.write_answer(events))
    assert list(answer) == ["id", "object", "created", "model", "choices", "usage"]
    message = {"role": "assistant", "content": "Blocked.", "refusal": None}
    assert answer["choices"] == [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}]
