"""on_event: what a policy makes of the stream itself."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from policies.base import Call
from policies.content import Opaque, Request, Text, Thinking, ToolCall
from policies.events import (
    Aside,
    BlockDelta,
    BlockEnd,
    BlockStart,
    End,
    Event,
    Failure,
    Frame,
    Start,
    block_events,
)
from policies.verdicts import Verdict, allow, block, replace

from .playing import active, answer, choices, noting, play, same_objects

LS = ToolCall("t1", "bash", '{"command":"ls"}')
PWD = ToolCall("t2", "bash", '{"command":"pwd"}')
SIGNED = Thinking("let me think", "c2lnbmVk")
Made = Event | Iterable[Event]
Watching = Callable[[Event, Call], Any]


def without(kind: type[Event]) -> Watching:
    return lambda event, call: () if isinstance(event, kind) else event


def each(kind: type[Event], *made: Event) -> Watching:
    """`made` in the place of each event of `kind`."""
    return lambda event, call: made if isinstance(event, kind) else event


async def test_watching_alone_leaves_the_same_objects() -> None:
    seen: list[Event] = []
    events = answer(SIGNED, Text("hello"), Opaque("x"), LS, PWD, stop="tool_use")
    events.insert(3, Aside(Frame(b"ping")))
    events.append(Aside(Frame(b"bye")))
    played = await play(events, active(on_event=lambda event, call: noting(seen, event, event)))
    assert same_objects(played.events, events)
    assert seen == events
    assert not played.executor.changed
    assert played.decisions == []


async def test_events_may_be_dropped_changed_and_added() -> None:
    def hook(event: Event, call: Call) -> Made:
        if isinstance(event, BlockDelta) and event.text == "lo":
            return [BlockDelta("LO"), BlockDelta("!")]
        return [] if isinstance(event, Aside) else [event]

    events = answer(Text("hello"))
    events.insert(2, Aside())
    played = await play(events, active(on_event=hook))
    assert played.texts == ["helLO!"]
    assert played.executor.changed
    assert played.events[0] is events[0]


@pytest.mark.parametrize("kept", [True, False])
async def test_an_event_that_was_changed_in_place_has_lost_its_frame_and_the_original_is_as_it_was(kept: bool) -> None:
    def hook(event: Event, call: Call) -> Made:
        if isinstance(event, BlockDelta):
            event.text = event.text.upper()
            return event if kept else [event]
        return event

    events = answer(Text("hello"))
    played = await play(events, active(on_event=hook))
    assert played.texts == ["HELLO"]
    assert all(event.frame is None for event in played.events if isinstance(event, BlockDelta))
    assert [event.text for event in events if isinstance(event, BlockDelta)] == ["hel", "lo"]


@pytest.mark.parametrize("field", ["frame", "source"])
async def test_a_policy_cannot_put_other_bytes_behind_an_event(field: str) -> None:
    def hook(event: Event, call: Call) -> Made:
        if isinstance(event, BlockDelta):
            setattr(event, field, Frame(b"forged"))
        return event

    played = await play(answer(Text("hello")), active(on_event=hook))
    assert all(event.frame is None for event in played.events if isinstance(event, BlockDelta))


async def test_a_policy_cannot_change_what_was_judged_after_it() -> None:
    kept: list[BlockDelta] = []

    def hook(event: Event, call: Call) -> Made:
        if isinstance(event, BlockDelta):
            kept.append(BlockDelta(event.text))
            return kept[-1]
        return event

    def judge(tool_call: ToolCall, call: Call) -> Verdict:
        for delta in kept:
            delta.text = "evil"
        return allow()

    played = await play(answer(LS, stop="tool_use"), active("a", on_event=hook), active("b", on_tool_call=judge))
    assert played.response.tool_calls == (LS,)


async def test_made_blocks_are_held_and_judged_like_any_other() -> None:
    def hook(event: Event, call: Call) -> Made:
        return [*block_events(LS), event] if isinstance(event, End) else event

    guard = active(on_event=hook, on_tool_call=lambda tool_call, call: block("no"))
    played = await play(answer(Text("hi")), guard)
    assert [made.kind for made in played.response.blocks] == ["text", "text"]
    assert ("guard", "on_tool_call", "tool_call t1", "block") in played.verdicts


async def test_other_hooks_of_the_policy_see_what_it_made() -> None:
    seen: list[str] = []
    guard = active(
        on_event=each(BlockDelta, BlockDelta("x")), on_text=lambda text, call: noting(seen, text.text, allow())
    )
    await play(answer(Text("hello")), guard)
    assert seen == ["xx"]


async def test_a_dropped_tool_call_ends_the_turn() -> None:
    def hook(event: Event, call: Call) -> Made:
        if isinstance(event, BlockStart):
            call.state["drop"] = event.id == "t2"
        return [] if call.state.get("drop") and not isinstance(event, End) else event

    played = await play(answer(PWD, stop="tool_use"), active(on_event=hook))
    assert "removed this answer" in played.texts[0]
    assert played.response.stop_reason == "end_turn"
    played = await play(answer(LS, PWD, stop="tool_use"), active(on_event=hook))
    assert played.response.blocks == (LS,)
    assert played.response.stop_reason == "tool_use"


async def test_two_blocks_may_be_made_one_and_a_notice_waits_for_its_end() -> None:
    def merge(event: Event, call: Call) -> Made:
        if isinstance(event, BlockEnd) and not call.state.get("last"):
            return []
        if isinstance(event, BlockStart) and call.state.setdefault("first", event) is not event:
            call.state["last"] = True
            return []
        return event

    first = active("first", on_text=lambda text, call: block("no") if text.text == "bad" else allow())
    played = await play(answer(Text("one"), Text("bad"), Text("two")), first, active("merging", on_event=merge))
    assert played.texts[0] == "onetwo"
    assert "The policy first blocked a part of this answer" in played.texts[1]


BROKEN: dict[str, Watching] = {
    "no start": without(Start),
    "no block start": without(BlockStart),
    "no block end": without(BlockEnd),
    "no end": without(End),
    "two starts": each(Start, Start(), Start()),
    "a start later": each(BlockEnd, BlockEnd(), End(), Start()),
    "something behind the end": each(End, End(), BlockStart("text")),
    "a failure": each(BlockDelta, Failure("overloaded", "made up")),
    "thinking": each(BlockEnd, BlockEnd(), BlockStart("thinking"), BlockEnd()),
    "not an event": lambda event, call: "rubbish",
    "a number": lambda event, call: 7,
    "nothing": lambda event, call: None,
    "an event without text": each(BlockDelta, BlockDelta(None)),  # type: ignore[arg-type]
    "an unknown kind": each(BlockStart, BlockStart("audio")),  # type: ignore[arg-type]
    "a class of its own": each(BlockDelta, type("Mine", (BlockDelta,), {})("x")),
}


@pytest.mark.parametrize("on_failure", ["closed", "open"])
@pytest.mark.parametrize("how", BROKEN)
async def test_a_broken_stream_ends_in_good_form_with_a_notice(how: str, on_failure: Any) -> None:
    events = answer(Text("hello"), LS, Text("you"), stop="tool_use")
    played = await play(events, active(on_event=BROKEN[how], on_failure=on_failure))
    failures = {made.action for made in played.decisions}
    if failures == {"failed_open"}:
        assert on_failure == "open"
        assert same_objects(played.events, events)
        return
    assert [(made.hook, made.block, made.action) for made in played.decisions] == [
        ("on_event", "answer", "failed_closed")
    ]
    ended_itself = how in ("a start later", "something behind the end")
    assert ended_itself or "this answer: the policy failed" in played.texts[-1]
    assert played.source.closed


@pytest.mark.parametrize("position", range(20))
async def test_failing_closed_at_any_event_ends_the_answer_and_completes_no_tool_call(position: int) -> None:
    def hook(event: Event, call: Call) -> Made:
        call.state["seen"] = call.state.get("seen", 0) + 1
        if call.state["seen"] > position:
            raise ValueError("secret")
        return event

    events = answer(SIGNED, Text("hello"), LS, Opaque("x"), stop="tool_use")
    played = await play(events, active(on_event=hook))
    assert played.response.tool_calls in ((), (LS,))
    assert played.response.stop_reason in ("end_turn", "tool_use")
    assert (played.response.stop_reason == "tool_use") == bool(played.response.tool_calls)
    if position < len(events):
        assert played.texts[-1].startswith("[Luthien] The policy guard blocked this answer: the policy failed.")
        assert [made.reason for made in played.decisions] == ["raised ValueError"]


async def test_a_failure_behind_the_end_changes_nothing_any_more() -> None:
    def hook(event: Event, call: Call) -> Made:
        if isinstance(event, Aside):
            raise ValueError
        return event

    events = [*answer(Text("hello")), Aside()]
    played = await play(events, active(on_event=hook))
    assert same_objects(played.events, events[:-1])


async def test_the_failure_of_the_upstream_cannot_be_hidden() -> None:
    events: list[Event] = [*answer(LS)[:-2], Failure("overloaded", "busy")]
    rescue = active(on_event=each(Failure, BlockEnd(), End()))
    played = await play(events, rescue)
    assert played.events == [events[0], events[-1]]


async def test_thinking_cannot_be_edited_but_dropped_whole() -> None:
    def drop(event: Event, call: Call) -> Made:
        if isinstance(event, BlockStart):
            call.state["drop"] = event.kind == "thinking"
        return [] if call.state.get("drop") else event

    events = answer(SIGNED, Text("hi"))
    played = await play(events, active(on_event=drop), binds_thinking=True)
    assert played.response.blocks == (Text("hi"),)
    for edit in (each(BlockDelta, BlockDelta("other")), without(BlockDelta)):
        played = await play(events, active(on_event=edit))
        assert [made.reason for made in played.decisions] == [
            "broke the stream: thinking may be dropped but not changed"
        ]


async def test_asides_in_thinking_may_be_dropped() -> None:
    events = answer(SIGNED)
    events.insert(2, Aside())
    played = await play(events, active(on_event=without(Aside)))
    assert played.response.blocks == (SIGNED,)


async def test_a_change_of_an_earlier_policy_passes_and_counts() -> None:
    shout = active("a", on_text_delta=lambda text, call, final: (text.upper(), 0))
    events = answer(Text("hi"), SIGNED)
    played = await play(events, shout, active("b", on_event=lambda event, call: event), binds_thinking=True)
    assert played.response.blocks == (Text("HI"),)


async def test_each_choice_begins_anew() -> None:
    def hook(event: Event, call: Call) -> Made:
        if isinstance(event, BlockDelta) and event.text == "bad":
            raise ValueError
        return event

    events = choices(answer(Text("bad")), answer(Text("good")))
    played = await play(events, active(on_event=hook), request=Request("m", choices=2))
    assert same_objects(played.events[-5:], events[-5:])
    assert "the policy failed" in played.texts[0]


async def test_the_end_of_an_answer_that_was_stopped_before_is_all_that_is_seen() -> None:
    seen: list[Event] = []
    first = active("a", on_text=lambda text, call: Verdict("stop", "no"))
    played = await play(
        answer(Text("x"), LS), first, active("b", on_event=lambda event, call: noting(seen, event, event))
    )
    assert seen == [played.events[0], End()]


async def test_a_replaced_answer_is_seen_by_the_policies_behind() -> None:
    seen: list[Event] = []
    first = active("a", on_answer=lambda response, call: replace((Text("X"),)))
    await play(answer(Text("x")), first, active("b", on_event=lambda event, call: noting(seen, event, event)))
    assert BlockDelta("X") in seen
