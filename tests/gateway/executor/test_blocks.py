"""Verdicts on whole blocks: on_text, on_thinking, on_tool_call."""

import pytest

from gateway.errors import RequestBlocked
from policies.base import Call
from policies.content import Block, Opaque, Request, Text, Thinking, ToolCall
from policies.events import Aside, BlockDelta, BlockEnd, BlockStart, Event, Failure, Frame, Start, fold
from policies.verdicts import Verdict, allow, block, replace, stop

from .playing import Source, active, answer, choices, noting, play, same_objects

LS = ToolCall("t1", "bash", '{"command":"ls"}')
RM = ToolCall("t2", "bash", '{"command":"rm -rf /"}')
PWD = ToolCall("t3", "bash", '{"command":"pwd"}')
SEARCH = ToolCall("s1", "web_search", '{"query":"x"}', executed=True)
SIGNED = Thinking("let me think", "c2lnbmVk")


def no_deletes(tool_call: ToolCall, call: Call) -> Verdict:
    return block("recursive delete") if "rm -rf" in tool_call.arguments["command"] else allow()


def always(verdict: Verdict) -> object:
    return lambda subject, call: verdict


async def test_an_answer_that_nobody_judges_passes_in_the_same_batches() -> None:
    batches = [answer(Text("hello")), answer(LS, stop="tool_use")]
    played = await play(Source(batches), active(on_request=always(allow())))
    assert same_objects(played.batches, batches)
    assert not played.executor.enforces_answers
    assert not played.executor.changed


@pytest.mark.parametrize("hook", ["on_text", "on_thinking", "on_tool_call", "on_answer"])
async def test_what_is_allowed_leaves_as_the_same_objects_even_after_being_held(hook: str) -> None:
    events = answer(SIGNED, Text("hello"), Opaque("citation"), SEARCH, LS, PWD, stop="tool_use")
    events.insert(3, Aside(Frame(b"ping")))
    played = await play(events, active(**{hook: always(allow("fine"))}), binds_thinking=True)
    assert same_objects(played.events, events)
    assert played.executor.enforces_answers
    assert not played.executor.changed


async def test_a_blocked_tool_call_becomes_a_notice_that_names_policy_tool_and_call() -> None:
    played = await play(answer(Text("I clean up"), RM, stop="tool_use"), active("no-deletes", on_tool_call=no_deletes))
    assert played.response.blocks == (
        Text("I clean up"),
        Text(
            "[Luthien] The policy no-deletes blocked the tool call bash (t2): recursive delete."
            " Call call_1: http://console/why/call_1"
        ),
    )
    assert played.response.stop_reason == "end_turn"
    assert played.executor.changed
    assert played.verdicts == [("no-deletes", "on_tool_call", "tool_call t2", "block")]


async def test_surviving_tool_calls_come_last_and_keep_their_order_and_the_stop_reason() -> None:
    events = answer(LS, RM, PWD, stop="tool_use")
    played = await play(events, active(on_tool_call=no_deletes))
    assert [made.kind for made in played.response.blocks] == ["text", "tool_call", "tool_call"]
    assert played.response.tool_calls == (LS, PWD)
    assert played.response.stop_reason == "tool_use"
    assert played.events[-1] is events[-1]


async def test_a_tool_call_replaced_by_text_stands_before_the_tool_calls_that_stay() -> None:
    def soften(tool_call: ToolCall, call: Call) -> Verdict:
        return replace(Text("no")) if tool_call.id == "t2" else allow()

    played = await play(answer(LS, RM, stop="tool_use"), active(on_tool_call=soften))
    assert played.response.blocks == (Text("no"), LS)


async def test_a_tool_call_replaced_by_text_alone_ends_the_turn() -> None:
    played = await play(answer(RM, stop="tool_use"), active(on_tool_call=always(replace(Text("no")))))
    assert played.response.blocks == (Text("no"),)
    assert played.response.stop_reason == "end_turn"


async def test_a_tool_call_may_get_other_arguments_and_company() -> None:
    def split(tool_call: ToolCall, call: Call) -> Verdict:
        return replace((Text("two steps"), tool_call.with_arguments({"command": "ls -l"}), PWD), "split")

    played = await play(answer(LS, stop="tool_use"), active(on_tool_call=split))
    assert played.response.blocks == (Text("two steps"), ToolCall("t1", "bash", '{"command":"ls -l"}'), PWD)


@pytest.mark.parametrize("reason", ["max_tokens", "refusal", "end_turn", ""])
async def test_no_other_stop_reason_is_touched(reason: str) -> None:
    events = answer(RM, stop=reason)
    played = await play(events, active(on_tool_call=no_deletes))
    assert played.events[-1] is events[-1]


async def test_tool_use_without_any_tool_call_of_the_client_stays_where_no_policy_took_one() -> None:
    events = answer(SEARCH, Text("found"), stop="tool_use")
    played = await play(events, active(on_text=always(replace(Text("FOUND")))))
    assert played.texts == ["FOUND"]
    assert played.events[-1] is events[-1]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ((Text("one"), Text("two")), [Text("one"), Text("two")]),
        ((Text("hello"), Text("again")), [Text("hello"), Text("again")]),
        ((Text("hello"), Text("hello")), [Text("hello"), Text("hello")]),
        ((Text(""), Text("kept")), [Text("kept")]),
    ],
)
async def test_a_text_is_replaced_by_any_number_of_texts(content: tuple[Block, ...], expected: list[Block]) -> None:
    played = await play(answer(Text("hello")), active(on_text=always(replace(content))))
    assert list(played.response.blocks) == expected
    assert played.executor.changed
    assert len({id(event) for event in played.events}) == len(played.events)


async def test_a_replacement_that_is_equal_changes_nothing() -> None:
    events = answer(Text("hello"), LS, stop="tool_use")
    played = await play(
        events, active(on_text=always(replace(Text("hello"))), on_tool_call=lambda tool_call, call: replace(tool_call))
    )
    assert same_objects(played.events, events)
    assert not played.executor.changed


async def test_an_answer_of_which_nothing_is_left_says_who_removed_it() -> None:
    played = await play(answer(Text("hello")), active("eraser", on_text=always(replace(()))))
    assert played.texts == ["[Luthien] The policy eraser removed this answer. Call call_1: http://console/why/call_1"]


async def test_a_notice_without_a_page_ends_with_the_call() -> None:
    played = await play(answer(Text("hello")), active(on_text=always(replace(()))), why=lambda id: "")
    assert played.texts == ["[Luthien] The policy guard removed this answer. Call call_1."]


async def test_an_answer_that_came_empty_stays_empty() -> None:
    events = answer()
    played = await play(events, active(on_text=always(block("x")), on_tool_call=no_deletes))
    assert same_objects(played.events, events)


async def test_a_blocked_text_and_a_blocked_thinking_each_leave_a_notice() -> None:
    played = await play(
        answer(Thinking("hm"), Text("secret")),
        active(on_text=always(block("")), on_thinking=always(block("private."))),
    )
    assert played.texts == [
        "[Luthien] The policy guard blocked the reasoning of this answer: private."
        " Call call_1: http://console/why/call_1",
        "[Luthien] The policy guard blocked a part of this answer. Call call_1: http://console/why/call_1",
    ]
    assert [made[2] for made in played.verdicts] == ["thinking 0", "text 1"]


@pytest.mark.parametrize(
    ("hook", "verdict"),
    [
        ("on_text", replace(LS)),
        ("on_text", replace(Opaque("tool_use", {"type": "tool_use"}))),
        ("on_text", replace(Thinking("made up"))),
        ("on_text", Verdict("replace", content=Text("not a tuple"))),  # type: ignore[arg-type]
        ("on_text", replace(Text(None))),  # type: ignore[arg-type]
        ("on_text", Verdict("refuse", status=429)),
        ("on_text", Verdict("retry", model="other")),
        ("on_thinking", replace(Thinking("another thought"))),
        ("on_thinking", replace(Text("a thought"))),
        ("on_tool_call", replace(Thinking("hm"))),
        ("on_tool_call", replace((LS, LS))),
        ("on_tool_call", replace(ToolCall("", "bash"))),
        ("on_tool_call", replace(ToolCall("t1", "bash", executed=True))),
        ("on_tool_call", Verdict("respond", text="hi")),
    ],
)
async def test_a_verdict_that_a_hook_cannot_give_blocks(hook: str, verdict: Verdict) -> None:
    played = await play(answer(Thinking("hm"), Text("hello"), LS, stop="tool_use"), active(**{hook: always(verdict)}))
    kind = hook.removeprefix("on_")
    assert kind not in [made.kind for made in played.response.blocks if "[Luthien]" not in getattr(made, "text", "")]
    assert [made[3] for made in played.verdicts] == ["failed_closed"]
    assert "the policy failed" in played.events.__repr__()


@pytest.mark.parametrize("on_failure", ["open", "closed"])
@pytest.mark.parametrize("arguments", ["{", "[]", '{"command":1,"command":2}', "NaN", "[" * 100_000])
async def test_arguments_that_nobody_can_parse_are_blocked_even_where_failures_are_let_through(
    arguments: str, on_failure: str
) -> None:
    events = answer(ToolCall("t1", "bash", arguments), stop="tool_use")
    played = await play(events, active(on_tool_call=no_deletes, on_failure=on_failure))
    assert not played.response.tool_calls
    assert [(made.action, made.reason) for made in played.decisions] == [("block", "the arguments are not valid JSON")]


async def test_arguments_that_nobody_had_to_parse_pass_as_they_are() -> None:
    events = answer(ToolCall("t1", "bash", "{"), stop="tool_use")
    played = await play(events, active(on_tool_call=always(allow())))
    assert same_objects(played.events, events)


async def test_stop_ends_the_answer_where_it_stands_and_lets_the_upstream_go() -> None:
    source = Source([[event] for event in answer(Text("fine"), Text("bad"), Text("never seen"), LS)])
    stopper = active(on_text=lambda text, call: stop("enough") if text.text == "bad" else allow())
    played = await play(source, stopper)
    assert played.texts[0] == "fine"
    assert played.texts[1:] == [
        "[Luthien] The policy guard blocked a part of this answer: enough. Call call_1: http://console/why/call_1"
    ]
    assert played.response.stop_reason == "end_turn"
    assert source.closed
    assert source.read == 8  # the start, a block of four events and one of three


async def test_stop_on_a_tool_call_keeps_the_calls_before_it_and_says_that_they_wait() -> None:
    def stopping(tool_call: ToolCall, call: Call) -> Verdict:
        return stop("enough") if tool_call.id == "t2" else allow()

    played = await play(answer(LS, RM, PWD, stop="tool_use"), active(on_tool_call=stopping))
    assert played.response.tool_calls == (LS,)
    assert played.response.stop_reason == "tool_use"


async def test_stop_on_thinking_leaves_only_its_notice() -> None:
    played = await play(answer(SIGNED, Text("hello")), active(on_thinking=always(stop("no"))), binds_thinking=True)
    assert [made.kind for made in played.response.blocks] == ["text"]
    assert "hello" not in played.texts[0]


@pytest.mark.parametrize("verdict", [block("no"), stop("no"), replace(Text("no")), replace(())])
async def test_a_blocked_tool_call_that_the_provider_ran_ends_the_answer(verdict: Verdict) -> None:
    events = answer(Text("searching"), SEARCH, Opaque("web_search_tool_result"), Text("found"))
    played = await play(events, active(on_tool_call=always(verdict)))
    assert [made.kind for made in played.response.blocks] == ["text", "text"]
    assert played.texts[0] == "searching"
    assert "the tool call web_search (s1)" in played.texts[1]
    assert played.source.closed


async def test_each_policy_sees_what_the_one_before_made() -> None:
    seen: list[str] = []

    def shout(text: object, call: Call) -> Verdict:
        assert isinstance(text, Text)
        seen.append(text.text)
        return replace(Text(text.text + "!"))

    played = await play(answer(Text("hi")), active("a", on_text=shout), active("b", on_text=shout))
    assert seen == ["hi", "hi!"]
    assert played.texts == ["hi!!"]


async def test_a_block_ends_the_chain_for_that_block_alone() -> None:
    later = active("later", on_tool_call=always(allow()))
    played = await play(answer(LS, RM, stop="tool_use"), active("first", on_tool_call=no_deletes), later)
    assert sorted(played.verdicts) == [
        ("first", "on_tool_call", "tool_call t1", "allow"),
        ("first", "on_tool_call", "tool_call t2", "block"),
        ("later", "on_tool_call", "tool_call t1", "allow"),
        ("later", "on_tool_call", "tool_call t2", "not_reached"),
    ]
    assert next(made.reason for made in played.decisions if made.action == "not_reached") == "blocked by first"


async def test_no_policy_sees_a_notice() -> None:
    seen: list[object] = []
    later = active("later", on_event=lambda event, call: noting(seen, event, event), on_text=always(block("later")))
    played = await play(answer(RM, stop="tool_use"), active("first", on_tool_call=no_deletes), later)
    assert not any(isinstance(event, BlockStart) for event in seen)
    assert "policy first" in played.texts[0]


async def test_signed_thinking_behind_a_change_goes_and_the_record_says_so() -> None:
    events = answer(Text("a"), SIGNED, Text("b"))
    played = await play(events, active("caps", on_text=always(replace(Text("X")))), binds_thinking=True)
    assert played.response.blocks == (Text("X"), Text("X"))
    assert ("caps", "on_thinking", "thinking 1", "dropped") in played.verdicts


async def test_thinking_behind_a_change_stays_where_it_is_not_signed_over_it() -> None:
    played = await play(answer(Text("a"), SIGNED), active(on_text=always(replace(Text("X")))))
    assert played.response.blocks == (Text("X"), SIGNED)


async def test_thinking_before_a_change_stays() -> None:
    events = answer(SIGNED, Text("a"))
    played = await play(
        events, active(on_text=always(replace(Text("X")))), active(on_answer=always(allow())), binds_thinking=True
    )
    assert played.response.blocks == (SIGNED, Text("X"))
    assert same_objects(played.events[:6], events[:6])


async def test_thinking_between_tool_calls_goes_where_a_notice_moves_before_it() -> None:
    events = answer(LS, SIGNED, RM, stop="tool_use")
    played = await play(events, active(on_tool_call=no_deletes), binds_thinking=True)
    assert [made.kind for made in played.response.blocks] == ["text", "tool_call"]
    assert ("guard", "on_thinking", "thinking 1", "dropped") in played.verdicts


async def test_an_upstream_that_fails_in_mid_block_leaves_no_half_block() -> None:
    events: list[Event] = [*answer(Text("whole"), Text("half"))[:-2], Failure("overloaded", "busy")]
    played = await play(events, active(on_text=always(allow())))
    assert played.texts == ["whole"]
    assert played.events[-1] is events[-1]


async def test_an_upstream_that_fails_behind_a_held_tool_call_releases_none() -> None:
    events: list[Event] = [*answer(Text("so"), LS, PWD)[:-2], Failure("overloaded", "busy")]
    played = await play(events, active(on_tool_call=always(allow())))
    assert played.response.blocks == (Text("so"),)
    assert played.events[-1] is events[-1]


async def test_an_upstream_that_fails_in_dropped_thinking_is_still_heard() -> None:
    events: list[Event] = [*answer(Text("a"), SIGNED)[:-3], Failure("overloaded", "busy")]
    played = await play(events, active(on_text=always(replace(Text("X")))), binds_thinking=True)
    assert played.response.blocks == (Text("X"),)
    assert played.events[-1] is events[-1]


async def test_each_choice_is_judged_on_its_own_and_a_stop_leaves_the_others() -> None:
    events = choices(answer(Text("bad"), LS), answer(Text("good"), RM, stop="tool_use"), answer(Text("bad")))
    stopper = active(on_text=lambda text, call: stop("no") if text.text == "bad" else allow(), on_tool_call=no_deletes)
    played = await play(events, stopper, request=Request("model-1", choices=3))
    starts = [position for position, event in enumerate(played.events) if isinstance(event, Start)]
    assert len(starts) == 3
    first, second, third = (fold(played.events[a:b]) for a, b in zip(starts, [*starts[1:], None], strict=True))
    assert len(first.blocks) == len(third.blocks) == 1
    assert [made.kind for made in second.blocks] == ["text", "text"]
    assert second.text.startswith("good")
    assert second.stop_reason == "end_turn"


async def test_a_shared_policy_keeps_its_calls_apart() -> None:
    def count(text: object, call: Call) -> Verdict:
        call.state["seen"] = call.state.get("seen", 0) + 1
        return replace(Text(str(call.state["seen"])))

    shared = active(on_text=count)
    for _ in range(2):
        assert (await play(answer(Text("a"), Text("b")), shared)).texts == ["1", "2"]


async def test_an_empty_block_is_judged_and_passes() -> None:
    events = answer(Text(""), ToolCall("t1", "now"))
    events = [event for event in events if not isinstance(event, BlockDelta) or event.text]
    played = await play(events, active(on_text=always(allow()), on_tool_call=always(allow())))
    assert same_objects(played.events, events)
    assert sum(isinstance(event, BlockEnd) for event in played.events) == 2


@pytest.mark.parametrize("verdict", [block("no"), replace(())])
async def test_a_notice_that_would_break_the_shape_the_client_asked_for_is_an_error(verdict: Verdict) -> None:
    shaped = Request("model-1", structured=True)
    source = Source([answer(Text("{}"))])
    with pytest.raises(RequestBlocked, match=r"The policy guard (blocked|removed)"):
        await play(source, active(on_text=always(verdict)), request=shaped)
    assert source.closed
    played = await play(answer(Text("{}")), active(on_text=always(allow())), request=shaped)
    assert played.texts == ["{}"]
