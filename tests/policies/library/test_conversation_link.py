from typing import Any

import pytest
from pydantic import ValidationError

from policies.base import Call
from policies.content import Block, Message, Opaque, Request, Response, Text, Thinking, ToolCall
from policies.events import BlockDelta
from policies.library.conversation_link import ConversationLink
from policies.testing import watched

PAGE = "https://luthien.example/calls/call_1/"
ADDED = Text(f"This conversation is recorded: {PAGE}")
HELLO = Text("Hello.")
LS = ToolCall("t1", "bash", "{}")
ASKED = Message("user", (Text("hi"),))


def answered(*blocks: Block, stop: str = "end_turn", asked: Request | None = None, page: str = PAGE) -> list[Block]:
    call = Call("call_1", request=asked or Request("m", (ASKED,)), page=page)
    return list(watched(ConversationLink(), Response(blocks=blocks, stop_reason=stop), call).blocks)


@pytest.mark.parametrize(
    ("blocks", "linked"),
    [
        ([HELLO], [HELLO, ADDED]),
        ([Thinking("hm", "s"), HELLO], [Thinking("hm", "s"), HELLO, ADDED]),
        ([HELLO, LS, LS], [HELLO, ADDED, LS, LS]),
        ([HELLO, ToolCall("s", "web_search", "{}", executed=True), Opaque("result"), HELLO],) * 2,
    ],
)
def test_the_link_stands_behind_the_text_and_before_tool_calls(blocks: list[Block], linked: list[Block]) -> None:
    expected = linked if ADDED in linked else [*linked, ADDED]
    assert answered(*blocks) == expected


@pytest.mark.parametrize(
    "blocks", [[LS], [], [Thinking("hm", "s"), LS], [Text("  "), LS], [Text('\n{"a": 1}')], [Text("[1]"), HELLO]]
)
def test_tool_calls_alone_and_what_programs_read_stay_as_they_are(blocks: list[Block]) -> None:
    assert answered(*blocks) == blocks


@pytest.mark.parametrize("stop", ["max_tokens", "stop_sequence", "refusal", "pause_turn"])
def test_an_answer_that_did_not_end_gets_no_link(stop: str) -> None:
    assert answered(HELLO, stop=stop) == [HELLO]


@pytest.mark.parametrize(
    "how",
    [
        {"structured": True},
        {"max_tokens": 1},
        {"messages": (ASKED, Message("assistant", (HELLO,)), ASKED)},
    ],
)
def test_other_answers_than_a_first_one_to_people_get_no_link(how: dict[str, Any]) -> None:
    assert answered(HELLO, asked=Request("m", **how)) == [HELLO]


def test_earlier_calls_to_tools_are_no_answer_yet() -> None:
    asked = Request("m", (ASKED, Message("assistant", (LS,)), Message("tool", ())), max_tokens=2)
    assert answered(HELLO, asked=asked) == [HELLO, ADDED]


def test_outside_the_gateway_there_is_no_page() -> None:
    assert answered(HELLO, page="") == [HELLO]


def test_each_of_several_choices_is_an_answer() -> None:
    policy, call = ConversationLink(), Call(page=PAGE)
    for _ in range(2):
        assert list(watched(policy, Response(blocks=(HELLO,), stop_reason="end_turn"), call).blocks) == [HELLO, ADDED]


def test_what_is_not_changed_is_the_same_object() -> None:
    event = BlockDelta("a")
    assert ConversationLink().on_event(event, Call(page=PAGE)) is event


def test_a_text_without_a_place_for_the_address_is_refused() -> None:
    with pytest.raises(ValidationError, match="has to stand somewhere"):
        ConversationLink.Config(text="Recorded.")
