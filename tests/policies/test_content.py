import dataclasses
from typing import Any

import pytest

from policies.content import (
    Image,
    Message,
    Opaque,
    Request,
    Response,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    UnparsableArguments,
    parse_arguments,
)

CONVERSATION = Request(
    "m",
    messages=(
        Message("user", (Text("first"), Image(url="u"), Text("more"))),
        Message("assistant", (Thinking("hm", "s"), Text("answer"), ToolCall("1", "t"))),
        Message("user", (ToolResult("1", (Text("result"), Opaque("x"))),)),
    ),
    system=(Text("system"), Opaque("cache")),
)


def test_the_source_takes_no_part_in_equality() -> None:
    assert Text("a", source={"raw": 1}) == Text("a")
    assert "raw" not in repr(Text("a", source={"raw": 1}))


@pytest.mark.parametrize(
    ("text", "arguments"), [("", {}), ("  \n", {}), ("{}", {}), ('{"a":{"b":[1]}}', {"a": {"b": [1]}})]
)
def test_arguments_are_parsed(text: str, arguments: dict[str, Any]) -> None:
    assert ToolCall("1", "t", text).arguments == arguments


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "1",
        "null",
        '{"a":1,"a":2}',
        '{"x":{"a":1,"a":2}}',
        '{"a":NaN}',
        '{"a":Infinity}',
        "{}x",
        "[" * 100_000,
    ],
    ids=lambda text: text[:20],
)
def test_arguments_that_two_readers_could_read_differently_are_unparsable(text: str) -> None:
    with pytest.raises(UnparsableArguments):
        parse_arguments(text)


def test_a_custom_tool_takes_free_text() -> None:
    call = ToolCall("1", "patch", "not { json", custom=True)
    assert call.arguments == {"input": "not { json"}
    assert call.with_arguments({"input": "other"}).arguments_text == "other"


def test_other_arguments_leave_the_rest_of_a_call_alone() -> None:
    call = ToolCall("1", "t", '{"a": 1}', executed=True, source={"raw": 1})
    changed = call.with_arguments({"a": "é"})
    assert changed == dataclasses.replace(call, arguments_text='{"a":"é"}') and changed.source is call.source


def test_every_kind_of_content_says_what_it_is() -> None:
    made = (Text(""), Thinking(""), ToolCall("", ""), Opaque(""), Image(), ToolResult(""))
    assert [block.kind for block in made] == ["text", "thinking", "tool_call", "opaque", "image", "tool_result"]


def test_a_messages_text_is_its_own() -> None:
    assert [message.text for message in CONVERSATION.messages] == ["first\nmore", "answer", ""]


def test_the_last_user_text_is_of_the_last_user_message_that_has_any() -> None:
    assert CONVERSATION.last_user_text == "first\nmore"
    assert Request("m").last_user_text == ""


def test_every_text_of_a_request_is_found() -> None:
    assert list(CONVERSATION.texts()) == ["system", "first", "more", "answer", "result"]


def test_texts_are_changed_in_the_messages_of_some_roles_alone() -> None:
    changed = CONVERSATION.map_text(str.upper)
    assert list(changed.texts()) == ["system", "FIRST", "MORE", "answer", "RESULT"]
    assert changed.messages[1] is CONVERSATION.messages[1]
    assert changed.messages[0].blocks[1] is CONVERSATION.messages[0].blocks[1]
    assert list(CONVERSATION.map_text(str.upper, ("assistant",)).texts())[3] == "ANSWER"


def test_a_request_in_which_nothing_changes_is_itself() -> None:
    assert CONVERSATION.map_text(str) is CONVERSATION
    assert CONVERSATION.map_text(lambda text: "".join(text)) is CONVERSATION


def test_a_response_shows_its_texts_and_tool_calls() -> None:
    call = ToolCall("1", "t")
    response = Response(blocks=(Text("a"), call, Thinking("x"), Text("b")))
    assert (response.text, response.tool_calls) == ("a\nb", (call,))
