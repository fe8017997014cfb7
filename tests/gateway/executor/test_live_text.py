"""on_text_delta and on_tool_call_delta: what leaves while it streams."""

import pytest

from policies.base import Call
from policies.content import Opaque, Text, Thinking, ToolCall
from policies.events import Aside, BlockDelta, BlockStart, Event, Frame
from policies.verdicts import Verdict, allow, block, replace

from .playing import active, answer, play, same_objects

LS = ToolCall("t1", "bash", '{"command":"ls"}')


def upper(text: str, call: Call, final: bool) -> tuple[str, int]:
    return text.upper(), 0


def swap(text: str, call: Call, final: bool) -> tuple[str, int]:
    """Replaces "cat" by "dog", also where it is cut."""
    text = text.replace("cat", "dog")
    keep = 0 if final else next((size for size in (2, 1) if text.endswith("cat"[:size])), 0)
    return text[: len(text) - keep], keep


async def test_each_delta_is_edited_as_it_comes() -> None:
    played = await play(answer(Text("hello you")), active(on_text_delta=upper))
    deltas = [event.text for event in played.events if isinstance(event, BlockDelta)]
    assert deltas == ["HEL", "LO ", "YOU"]
    assert played.executor.changed


async def test_a_text_that_is_left_alone_leaves_as_the_same_objects() -> None:
    events = answer(Text("hello"), Thinking("hm"), LS, Opaque("x"), stop="tool_use")
    events.insert(2, Aside(Frame(b"ping")))
    events.insert(3, BlockDelta(source={"citation": 1}))
    played = await play(events, active(on_text_delta=lambda text, call, final: (text, 0)))
    assert same_objects(played.events, events)
    assert not played.executor.changed


async def test_what_is_kept_is_seen_again_and_released_at_the_end() -> None:
    played = await play(answer(Text("a cat, a ca")), active(on_text_delta=swap))
    assert played.texts == ["a dog, a ca"]
    assert played.executor.changed


async def test_keeping_back_alone_is_not_a_change() -> None:
    played = await play(answer(Text("catch caca")), active(on_text_delta=lambda text, call, final: ("", len(text))))
    assert not played.texts or played.executor.changed
    played = await play(answer(Text("a ca ca")), active(on_text_delta=swap))
    assert played.texts == ["a ca ca"]
    assert not played.executor.changed


async def test_a_text_of_which_nothing_is_released_never_appears() -> None:
    events = answer(Text("gone"), LS, stop="tool_use")
    events.insert(2, Aside())
    played = await play(events, active(on_text_delta=lambda text, call, final: ("", 0)))
    assert played.response.blocks == (LS,)
    assert played.executor.changed


async def test_a_text_that_came_empty_passes() -> None:
    events = answer(Text(""))
    played = await play(events, active(on_text_delta=upper))
    assert same_objects(played.events, events)


async def test_text_may_be_added_at_the_end() -> None:
    played = await play(
        answer(Text("hello")), active(on_text_delta=lambda text, call, final: (text + "!" if final else text, 0))
    )
    assert played.texts == ["hello!"]


async def test_live_text_and_whole_text_of_one_policy_are_judged_in_that_order() -> None:
    judged: list[str] = []

    def judge(text: Text, call: Call) -> Verdict:
        judged.append(text.text)
        return allow()

    played = await play(answer(Text("hello")), active(on_text_delta=upper, on_text=judge))
    assert judged == played.texts == ["HELLO"]


async def test_an_emptied_text_is_not_judged() -> None:
    played = await play(
        answer(Text("hello")),
        active(on_text_delta=lambda text, call, final: ("", 0), on_text=lambda text, call: block("seen")),
    )
    assert "removed this answer" in played.texts[0]


@pytest.mark.parametrize(
    "returned", [None, "text", ("a", 1, 2), ("a", -1), ("a", 99), (b"a", 0), ("a", 1.0), ("a", True), 7]
)
async def test_rubbish_ends_the_block_and_leaves_a_notice(returned: object) -> None:
    def hook(text: str, call: Call, final: bool) -> object:
        return (text, 0) if text == "hel" else returned

    played = await play(answer(Text("hello you"), Text("hel")), active(on_text_delta=hook))
    assert played.texts[0] == "hel"
    assert "blocked a part of this answer: the policy failed." in played.texts[1]
    assert "lo" not in played.texts[0] + played.texts[2][3:]
    assert [made[1:] for made in played.verdicts] == [("on_text_delta", "text 0", "failed_closed")] + [
        ("on_text_delta", "text 1", "failed_closed")
    ] * (len(played.verdicts) - 1)


def failing_at(when: str) -> object:
    def hook(text: str, call: Call, final: bool) -> tuple[str, int]:
        if when == "end" if final else when in text:
            raise ValueError("secret text")
        return text, 0

    return hook


@pytest.mark.parametrize(("when", "released"), [("hel", []), ("you", ["hello "]), ("end", ["hello you"])])
async def test_failing_closed_in_mid_block_drops_the_rest_of_it(when: str, released: list[str]) -> None:
    played = await play(answer(Text("hello you"), LS, stop="tool_use"), active(on_text_delta=failing_at(when)))
    *before, notice = played.texts
    assert before == released
    assert "the policy failed" in notice
    assert played.response.tool_calls == (LS,)
    assert played.response.stop_reason == "tool_use"
    assert [(made.block, made.reason) for made in played.decisions] == [("text 0", "raised ValueError")]


@pytest.mark.parametrize("when", ["hel", "you", "end"])
async def test_failing_open_releases_everything_and_is_told_once_a_block(when: str) -> None:
    events = answer(Text("hello you you you"))
    played = await play(events, active(on_text_delta=failing_at(when), on_failure="open"))
    assert same_objects(played.events, events)
    assert [(made.action, made.reason) for made in played.decisions] == [("failed_open", "raised ValueError")]


async def test_failing_open_releases_what_was_kept() -> None:
    def hook(text: str, call: Call, final: bool) -> tuple[str, int]:
        if len(text) > 5:
            raise ValueError
        return "", len(text)

    played = await play(answer(Text("hello you")), active(on_text_delta=hook, on_failure="open"))
    assert played.texts == ["hello you"]


async def test_a_failure_on_live_text_is_not_undone_by_the_verdict_on_the_whole() -> None:
    guard = active(on_text_delta=failing_at("you"), on_text=lambda text, call: allow())
    played = await play(answer(Text("hello you")), guard)
    assert len(played.texts) == 1
    assert "the policy failed" in played.texts[0]


async def test_a_later_policy_is_told_that_a_failed_block_does_not_reach_it() -> None:
    later = active("later", on_text=lambda text, call: allow())
    played = await play(answer(Text("hello")), active("first", on_text_delta=failing_at("hel")), later)
    assert played.verdicts[-1] == ("later", "on_text", "text 0", "not_reached")


async def test_fragments_of_a_tool_call_are_seen_as_they_arrive() -> None:
    seen: list[str] = []
    events = answer(Text("so"), LS, stop="tool_use")
    played = await play(events, active(on_tool_call_delta=lambda fragment, call: seen.append(fragment)))
    assert "".join(seen) == LS.arguments_text
    assert len(seen) > 1
    assert same_objects(played.events, events)


@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize("returned", [ValueError("secret"), "something"])
async def test_a_tool_call_whose_fragments_nobody_could_watch_is_dropped_whole(judged: bool, returned: object) -> None:
    def hook(fragment: str, call: Call) -> object:
        if "ls" in fragment or 's"' in fragment:
            if isinstance(returned, Exception):
                raise returned
            return returned
        return None

    extra = {"on_tool_call": lambda tool_call, call: allow()} if judged else {}
    played = await play(answer(LS, stop="tool_use"), active(on_tool_call_delta=hook, **extra))
    assert not any(isinstance(event, BlockStart) and event.kind == "tool_call" for event in played.events)
    assert "the tool call bash (t1): the policy failed" in played.texts[0]
    assert played.response.stop_reason == "end_turn"
    assert [(made.hook, made.block, made.action) for made in played.decisions] == [
        ("on_tool_call_delta", "tool_call t1", "failed_closed")
    ]


async def test_fragments_that_fail_open_pass() -> None:
    def hook(fragment: str, call: Call) -> None:
        raise ValueError

    events: list[Event] = answer(LS, stop="tool_use")
    played = await play(events, active(on_tool_call_delta=hook, on_failure="open"))
    assert same_objects(played.events, events)
    assert [made.action for made in played.decisions] == ["failed_open"]


async def test_two_policies_edit_live_text_one_after_the_other() -> None:
    exclaim = active("b", on_text_delta=lambda text, call, final: (text.replace("L", "1"), 0))
    played = await play(answer(Text("hello")), active("a", on_text_delta=upper), exclaim)
    assert played.texts == ["HE11O"]


async def test_a_replaced_text_is_live_text_for_the_next_policy() -> None:
    first = active("a", on_text=lambda text, call: replace((Text("one"), Text("two"))))
    played = await play(answer(Text("hello")), first, active("b", on_text_delta=upper))
    assert played.texts == ["ONE", "TWO"]
