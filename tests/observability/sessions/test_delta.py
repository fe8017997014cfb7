from __future__ import annotations

from observability.sessions.delta import news
from policies.content import Message, Opaque, Request, Text, Thinking, Tool, ToolCall, ToolResult

CALL = ToolCall("toolu_1", "bash", "{}")
REQUEST = Request(
    "m",
    (
        Message("user", (Text("Begin."), Text("With this."))),
        Message("assistant", (Thinking("hm"), Text("I do."), CALL, Opaque("mark"))),
        Message("user", (ToolResult("toolu_1"), Text("And go on."))),
    ),
    system=(Text("Be kind."),),
    tools=(Tool("bash"),),
)


def texts(shared: int) -> list[tuple[str, list[str]]]:
    return [(message.role, [block.kind for block in message.blocks]) for message in news(REQUEST, shared).messages]


def test_nothing_known_is_the_whole_talk_with_its_system_prompt_and_without_tools() -> None:
    told = news(REQUEST, 0)
    assert (told.messages, told.system, told.tools) == (REQUEST.messages, REQUEST.system, ())


def test_what_is_known_goes_also_in_the_middle_of_a_message() -> None:
    assert texts(1)[0] == ("user", ["text"])
    assert texts(2)[0][0] == "assistant"
    assert texts(4) == [("assistant", ["opaque"]), ("user", ["tool_result", "text"])]
    assert texts(5) == [("user", ["text"])]
    assert texts(6) == texts(99) == []
    assert news(REQUEST, 1).system == ()
