"""on_answer: the whole answer is held, then judged as one; and on_finish."""

import pytest

from gateway.executor import RetryAsked
from policies.base import Call
from policies.content import Block, Opaque, Request, Response, Text, Thinking, ToolCall
from policies.events import Aside, Event, Failure, Frame
from policies.verdicts import Verdict, allow, block, replace, retry, stop

from .playing import Source, active, answer, choices, noting, play, prepared, same_objects, through

LS = ToolCall("t1", "bash", '{"command":"ls"}')
RM = ToolCall("t2", "bash", '{"command":"rm -rf /"}')
SIGNED = Thinking("let me think", "c2lnbmVk")


def always(verdict: Verdict) -> object:
    return lambda subject, call: verdict


async def test_the_answer_is_shown_whole_and_nothing_leaves_before_its_verdict() -> None:
    seen: list[Response] = []
    events = answer(SIGNED, Text("hello"), LS, stop="tool_use")
    played = await play(events, active(on_answer=lambda response, call: noting(seen, response, allow())))
    assert seen[0].blocks == (SIGNED, Text("hello"), LS)
    assert (seen[0].id, seen[0].model, seen[0].stop_reason) == ("msg_1", "model-1", "tool_use")
    assert same_objects(played.batches[0], events)


@pytest.mark.parametrize("verdict", [block("no"), stop("no")])
async def test_a_blocked_answer_is_its_notice_alone(verdict: Verdict) -> None:
    events = answer(SIGNED, Text("secret"), LS, stop="tool_use")
    played = await play(events, active(on_answer=always(verdict)), binds_thinking=True)
    assert played.texts == [
        "[Luthien] The policy guard blocked this answer: no. Call call_1: http://console/why/call_1"
    ]
    assert len(played.response.blocks) == 1
    assert played.response.stop_reason == "end_turn"
    assert played.verdicts == [("guard", "on_answer", "answer", verdict.action)]


async def test_blocks_that_stay_keep_their_objects() -> None:
    events = answer(SIGNED, Text("keep"), Text("drop"), LS, stop="tool_use")
    events.insert(4, Aside(Frame(b"ping")))
    played = await play(events, active(on_answer=always(replace((SIGNED, Text("keep"), LS)))), binds_thinking=True)
    assert played.response.blocks == (SIGNED, Text("keep"), LS)
    assert all(any(event is given for given in events) for event in played.events)
    assert played.executor.changed


@pytest.mark.parametrize(
    "content",
    [
        (Text("new"), Text("a"), Text("b"), LS),
        (Text("a"), Text("new"), Text("b"), LS),
        (Text("b"), Text("a"), LS),
        (Text("a"), Text("a"), Text("b"), LS),
        (LS, Text("a"), Text("b")),
        (Text("a"), ToolCall("t1", "bash", "{}")),
        (Text("a"), Text("b"), LS, Text("after")),
    ],
)
async def test_any_content_may_take_the_answers_place(content: tuple[Block, ...]) -> None:
    events = answer(Text("a"), Text("b"), LS, stop="tool_use")
    played = await play(events, active(on_answer=always(replace(content))))
    assert played.response.blocks == content
    assert played.response.stop_reason == "tool_use"
    assert len({id(event) for event in played.events}) == len(played.events)
    assert played.executor.changed


async def test_the_same_content_changes_nothing() -> None:
    events = answer(Text("a"), Text(""), LS, stop="tool_use")
    played = await play(events, active(on_answer=lambda response, call: replace(response.blocks)))
    assert same_objects(played.events, events)
    assert not played.executor.changed


@pytest.mark.parametrize("content", [(), (Text(""),)])
async def test_an_answer_replaced_by_nothing_says_so(content: tuple[Block, ...]) -> None:
    played = await play(answer(Text("a"), LS, stop="tool_use"), active(on_answer=always(replace(content))))
    assert "The policy guard removed this answer." in played.texts[0]
    assert played.response.stop_reason == "end_turn"


@pytest.mark.parametrize(
    "verdict",
    [
        replace(LS),
        replace((Text("a"), ToolCall("invented", "bash"))),
        replace((LS, LS)),
        replace(ToolCall("t1", "bash", executed=True)),
        replace(Thinking("invented")),
        replace(Opaque("invented")),
        retry(""),
        Verdict("reroute", model="other"),
    ],
)
async def test_what_the_model_did_not_make_cannot_be_put_into_its_answer(verdict: Verdict) -> None:
    played = await play(answer(Text("a"), RM if verdict.content == (LS,) else LS), active(on_answer=always(verdict)))
    assert "the policy failed" in played.texts[0]
    assert len(played.response.blocks) == 1
    assert [made.action for made in played.decisions] == ["failed_closed"]


async def test_thinking_before_the_first_change_stays_and_thinking_behind_it_goes() -> None:
    events = answer(SIGNED, Text("a"), Thinking("second"), Text("b"))
    content = (SIGNED, Text("X"), Thinking("second"), Text("b"))
    played = await play(events, active(on_answer=always(replace(content))), binds_thinking=True)
    assert played.response.blocks == (SIGNED, Text("X"), Text("b"))
    assert ("guard", "on_thinking", "thinking 2", "dropped") in played.verdicts


async def test_the_mark_of_an_earlier_change_keeps_its_place_in_a_held_answer() -> None:
    events = answer(Text("a"), SIGNED, Text("b"))
    first = active("first", on_text=lambda text, call: replace(Text("X")) if text.text == "a" else allow())
    second = active("second", on_answer=always(replace((Text("X"), SIGNED, Text("Y")))))
    played = await play(events, first, second, binds_thinking=True)
    assert played.response.blocks == (Text("X"), Text("Y"))
    assert ("first", "on_thinking", "thinking 1", "dropped") in played.verdicts


async def test_notices_of_earlier_policies_stay_in_a_held_answer() -> None:
    first = active("first", on_text=lambda text, call: block("no") if text.text == "bad" else allow())
    for verdict in (allow(), replace((Text("a"), Text("c"))), block("all")):
        played = await play(answer(Text("a"), Text("bad"), Text("b")), first, active("x", on_answer=always(verdict)))
        assert any("The policy first blocked a part" in text for text in played.texts)


async def test_an_answer_that_was_blocked_whole_does_not_reach_later_policies() -> None:
    later = active("later", on_answer=always(allow()))
    played = await play(answer(Text("a")), active("first", on_answer=always(block("no"))), later)
    assert played.verdicts[-1] == ("later", "on_answer", "answer", "not_reached")
    assert len(played.texts) == 1


async def test_an_empty_answer_is_judged() -> None:
    events = answer()
    played = await play(events, active(on_answer=always(allow())))
    assert same_objects(played.events, events)
    assert played.verdicts == [("guard", "on_answer", "answer", "allow")]


async def test_retry_leaves_with_nothing_released_and_closes_the_upstream() -> None:
    played = prepared(active("picky", on_answer=always(retry("better", "too weak"))))
    source = Source([answer(Text("weak"))])
    with pytest.raises(RetryAsked) as asked:
        async for batch in through(played.executor, source.stream()):
            played.batches.append(batch)
    assert (asked.value.model, asked.value.by.active.name) == ("better", "picky")
    assert played.batches == []
    assert source.closed
    assert played.verdicts == [("picky", "on_answer", "answer", "retry")]


async def test_retry_is_no_answer_to_one_of_several_choices() -> None:
    played = prepared(active(on_answer=always(retry("better"))), request=Request("m", choices=2))
    await played.executor.check(Request("m", choices=2))
    async for batch in through(played.executor, Source([choices(answer(Text("a")), answer(Text("b")))]).stream()):
        played.batches.append(batch)
    assert [made.action for made in played.decisions] == ["failed_closed"] * 1
    assert "the policy failed" in played.texts[-1]


async def test_each_choice_is_held_and_judged_on_its_own_also_in_one_batch() -> None:
    events = choices(answer(Text("bad")), answer(Text("good"), RM, stop="tool_use"))
    guard = active(on_answer=lambda response, call: block("no") if response.text == "bad" else allow())
    played = await play(Source([events]), guard, request=Request("m", choices=2))
    assert same_objects(played.events[-len(events) + 4 :], events[4:])


async def test_a_failing_upstream_is_heard_and_the_half_answer_dropped() -> None:
    events: list[Event] = [*answer(Text("half"))[:-2], Aside(), Failure("overloaded", "busy")]
    played = await play(events, active(on_answer=always(allow())))
    assert same_objects(played.events, [events[0], events[-1]])
    assert played.decisions == []


async def test_what_stands_around_the_answer_is_not_held() -> None:
    events = [Aside(Frame(b"before")), *answer(Text("a")), Aside(Frame(b"after"))]
    played = await play(events, active(on_answer=always(allow())))
    assert same_objects(played.batches[0], events[:1])
    assert same_objects(played.batches[-1], events[-1:])
    assert same_objects(played.events, events)


async def test_two_policies_hold_the_answer_one_after_the_other() -> None:
    def sign(response: Response, call: Call) -> Verdict:
        return replace((*response.blocks, Text("signed")))

    played = await play(answer(Text("a")), active("a", on_answer=sign), active("b", on_answer=sign))
    assert played.texts == ["a", "signed", "signed"]


async def test_the_finish_reason_is_told_after_the_last_verdict() -> None:
    order: list[str] = []
    guard = active(
        on_tool_call=lambda tool_call, call: noting(order, tool_call.id, allow()),
        on_finish=lambda reason, call: order.append(reason),
    )
    await play(answer(LS, RM, stop="tool_use"), guard)
    assert order == ["t1", "t2", "tool_use"]


@pytest.mark.parametrize("on_failure", ["open", "closed"])
async def test_a_failure_on_the_finish_reason_is_recorded_and_holds_nothing_back(on_failure: str) -> None:
    events = answer(Text("a"))
    played = await play(events, active(on_finish=lambda reason, call: 1 / 0, on_failure=on_failure))
    assert same_objects(played.events, events)
    assert [(made.hook, made.action, made.reason) for made in played.decisions] == [
        ("on_finish", f"failed_{on_failure}", "raised ZeroDivisionError")
    ]
