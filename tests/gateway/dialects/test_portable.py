"""The normal form of requests, and what may not be left out of it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.dialects import ANTHROPIC, OPENAI_CHAT, Dialect
from gateway.dialects.portable import portable
from gateway.dialects.settings import Settings, ToolChoice
from gateway.dialects.signatures import marked
from gateway.errors import BadRequest
from policies.content import (
    Image,
    Message,
    Opaque,
    Request,
    RequestBlock,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)

LONG = "mcp__" + "a" * 80


def normal(
    *messages: tuple[Role, RequestBlock], dialect: Dialect = ANTHROPIC, settings: Settings | None = None, **more: Any
) -> tuple[Request, tuple[str, ...]]:
    """Each block in a message of its own."""
    request = Request("m", tuple(Message(role, (block,)) for role, block in messages), **more)
    made, _, dropped = portable(request, settings or Settings(), dialect, "theirs")
    return made, dropped


def said(request: Request) -> list[tuple[str, list[RequestBlock]]]:
    return [(message.role, list(message.blocks)) for message in request.messages]


def refused(*messages: tuple[Role, RequestBlock], **more: Any) -> str:
    with pytest.raises(BadRequest) as error:
        normal(*messages, **more)
    return str(error.value)


def test_messages_of_the_same_role_become_one() -> None:
    made, _ = normal(("user", Text("a")), ("user", Text("b")), ("assistant", Text("c")), ("user", Text("d")))
    assert said(made) == [("user", [Text("a"), Text("b")]), ("assistant", [Text("c")]), ("user", [Text("d")])]


def test_tool_results_come_first_and_are_a_users() -> None:
    result = ToolResult("call_1", (Text("r"), Image("image/png", "AA")))
    made, _ = normal(("user", Text("before")), ("tool", result), ("user", Text("after")))
    assert said(made) == [("user", [result, Text("before"), Text("after")])]


def test_an_assistants_texts_stand_before_its_tool_calls() -> None:
    call = ToolCall("call_1", "get", "{}")
    made, _ = normal(
        ("user", Text("q")), ("assistant", call), ("assistant", Text("late")), ("tool", ToolResult("call_1"))
    )
    assert said(made)[1] == ("assistant", [Text("late"), call])


def test_what_is_blank_is_not_said() -> None:
    made, _ = normal(("user", Text("a")), ("assistant", Text(" \n")), ("user", Text("b")), system=(Text(" "),))
    assert said(made) == [("user", [Text("a"), Text("b")])]
    assert made.system == ()


def test_the_first_system_messages_are_the_system_and_later_ones_stay_where_they_are() -> None:
    made, _ = normal(("system", Text("a")), ("system", Text("b")), ("user", Text("q")), ("system", Text("c")))
    assert made.system == (Text("a"), Text("b"))
    assert said(made) == [("user", [Text("q")]), ("system", [Text("c")])]


def test_a_system_message_alone_is_what_is_asked() -> None:
    made, _ = normal(("system", Text("a")))
    assert (made.system, said(made)) == ((), [("user", [Text("a")])])


def test_the_line_of_one_clients_billing_stays_behind() -> None:
    made, _ = normal(("user", Text("q")), system=(Text("x-anthropic-billing-header: v=1"), Text("Be kind.")))
    assert made.system == (Text("Be kind."),)


def test_nothing_has_a_source() -> None:
    made, _ = normal(
        ("user", Text("q", {"a": 1})),
        ("user", Image("image/png", "AA", source={"b": 1})),
        tools=(Tool("t", source={}),),
    )
    blocks = made.messages[0].blocks
    assert (made.source, made.tools[0].source, *(block.source for block in blocks)) == (None,) * 4


@pytest.mark.parametrize(
    ("block", "named"),
    [
        (Opaque("document"), "a document"),
        (Opaque("file"), "a file"),
        (Opaque("input_audio"), "audio"),
        (Opaque("who_knows"), "who_knows"),
        (ToolCall("c", "get"), "role user"),
        (ToolResult("c", (Opaque("document"),)), "a document"),
        (ToolResult("c", (ToolCall("d", "get"),)), "texts and images"),
    ],
)
def test_what_a_user_asks_about_is_not_left_out(block: RequestBlock, named: str) -> None:
    assert named in refused(("user", Text("q")), ("user", block))


@pytest.mark.parametrize("block", [Image("image/png", "AA"), ToolResult("c")])
def test_an_assistant_says_no_images_and_no_results(block: RequestBlock) -> None:
    assert "role assistant" in refused(("user", Text("q")), ("assistant", block))


def test_a_system_message_is_text() -> None:
    assert "image" in refused(("user", Text("q")), ("system", Image("image/png", "AA")))
    assert "opaque" in refused(("user", Text("q")), system=(Opaque("document"),))


def test_a_request_must_ask_something() -> None:
    assert "messages" in refused(("user", Text(" ")))
    assert "messages" in refused()


def test_one_answer_a_call() -> None:
    assert "`n`" in refused(("user", Text("q")), choices=2)


def test_what_a_hosted_tool_did_is_left_out_of_the_history_and_noted() -> None:
    made, dropped = normal(
        ("user", Text("q")),
        ("assistant", ToolCall("s", "web_search", "{}", executed=True)),
        ("assistant", Opaque("web_search_tool_result")),
        ("assistant", Text("a")),
        ("user", Text("b")),
    )
    assert said(made)[1] == ("assistant", [Text("a")])
    assert dropped == ("a call of the hosted tool web_search", "a block of the type web_search_tool_result")


def test_thinking_goes_back_to_whom_it_came_from_and_to_nobody_else() -> None:
    own, other, bare = marked("theirs", "sig"), marked("theirs.too", "sig"), "sig"
    made, dropped = normal(
        ("user", Text("q")),
        *[("assistant", Thinking("hm", signature)) for signature in (own, other, bare)],
        ("assistant", Text("a")),
        ("user", Text("b")),
    )
    assert said(made)[1] == ("assistant", [Thinking("hm", "sig"), Text("a")])
    assert dropped == ("thinking that another provider signed",)


def test_a_hosted_tool_may_be_missing_among_others() -> None:
    made, dropped = normal(("user", Text("q")), tools=(Tool("get"), Tool("web_search", executed=True)))
    assert [tool.name for tool in made.tools] == ["get"]
    assert dropped == ("the hosted tool web_search",)


def test_a_call_that_is_about_a_hosted_tool_is_refused() -> None:
    hosted = Tool("web_search", executed=True)
    assert "web_search" in refused(("user", Text("q")), tools=(hosted,))
    chosen = Settings(tool_choice=ToolChoice("tool", "web_search"))
    assert "web_search" in refused(("user", Text("q")), tools=(Tool("get"), hosted), settings=chosen)


def test_a_tool_that_only_its_type_describes_is_refused() -> None:
    assert "bash_20250124" in refused(("user", Text("q")), tools=(Tool("bash", source={"type": "bash_20250124"}),))


def test_only_allowed_tools_are_offered() -> None:
    made, _ = normal(("user", Text("q")), tools=(Tool("a"), Tool("b")), settings=Settings(allowed=("b",)))
    assert [tool.name for tool in made.tools] == ["b"]


@pytest.mark.parametrize(
    ("tools", "choice"), [((Tool("a"),), ToolChoice("tool", "a")), ((Tool("b"),), None), ((), None)]
)
def test_a_choice_of_a_tool_that_is_gone_is_no_choice(tools: tuple[Tool, ...], choice: ToolChoice | None) -> None:
    request = Request("m", (Message("user", (Text("q"),)),), tools=tools)
    assert portable(request, Settings(tool_choice=ToolChoice("tool", "a")), ANTHROPIC, "p")[1].tool_choice == choice


def test_names_that_are_too_long_are_the_same_everywhere() -> None:
    call = ToolCall("c", LONG, "{}")
    request = Request("m", (Message("user", (Text("q"),)), Message("assistant", (call,))), tools=(Tool(LONG),))
    made, settings, _ = portable(request, Settings(tool_choice=ToolChoice("tool", LONG)), OPENAI_CHAT, "p")
    (said_call,) = (block for block in made.messages[1].blocks if isinstance(block, ToolCall))
    assert settings.tool_choice is not None
    assert {made.tools[0].name, said_call.name, settings.tool_choice.tool} == {made.tools[0].name}
    assert len(made.tools[0].name) == 64


@pytest.mark.parametrize("call_id", ["functions.get:0", "call 1", "ä", "", "call_1", "luthien_id_!"])
def test_ids_are_safe_where_they_have_to_be_and_their_own_elsewhere(call_id: str) -> None:
    def ids(call_id: str, dialect: Dialect) -> tuple[str, str]:
        messages: list[tuple[Role, RequestBlock]] = [
            ("user", Text("q")), ("assistant", ToolCall(call_id, "get", "{}")), ("tool", ToolResult(call_id)),
        ]  # fmt: skip
        made, _ = normal(*messages, dialect=dialect)
        call, result = made.messages[1].blocks[0], made.messages[2].blocks[0]
        assert isinstance(call, ToolCall) and isinstance(result, ToolResult)
        return call.id, result.tool_call_id

    safe, same = ids(call_id, ANTHROPIC)
    assert safe == same and safe.replace("_", "").replace("-", "").isalnum() and safe.isascii()
    assert ids(safe, OPENAI_CHAT) == (call_id, call_id)


def test_custom_tools_become_functions_where_there_are_only_those() -> None:
    request = Request(
        "m",
        (Message("user", (Text("q"),)), Message("assistant", (ToolCall("c", "patch", "*** Begin", custom=True),))),
        tools=(Tool("patch", "Patches.", custom=True),),
    )
    made, _, _ = portable(request, Settings(grammars={"patch": "start: x"}), ANTHROPIC, "p")
    (tool,), call = made.tools, made.messages[1].blocks[0]
    assert not tool.custom and tool.schema["required"] == ["input"]
    assert tool.description == "Patches.\n\nThe input must be in this form:\nstart: x"
    assert call == ToolCall("c", "patch", '{"input":"*** Begin"}')


def test_two_tools_whose_names_become_the_same_are_refused() -> None:
    dotted = Tool("files.read")
    alike = normal(("user", Text("q")), tools=(dotted,))[0].tools[0].name
    assert "names" in refused(("user", Text("q")), tools=(dotted, Tool(alike)))
    assert len(normal(("user", Text("q")), tools=(dotted, dotted))[0].tools) == 2
