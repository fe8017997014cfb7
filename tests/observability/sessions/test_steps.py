from __future__ import annotations

from observability.sessions.steps import STEP, Steps, agent_of, client_of, is_step, steps_of, text_digest
from policies.content import (
    Image,
    Message,
    Opaque,
    Request,
    RequestBlock,
    Response,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)

ASK = Message("user", (Text("Find the fault."),))
CALL = ToolCall("toolu_1", "bash", '{"command":"ls"}')
SAID = Response(blocks=(Thinking("hm"), Text("I look."), CALL))
RESULT = Message("user", (ToolResult("toolu_1", (Text("a.py"),)),))


def read(*messages: Message, said: Response = SAID, model: str = "m", tools: tuple[Tool, ...] = ()) -> Steps:
    return steps_of(Request(model, messages, tools=tools), [said], [said])


def test_the_next_request_begins_with_the_steps_of_the_last_one_and_its_answer() -> None:
    first = read(ASK)
    second = read(ASK, Message("assistant", SAID.blocks), RESULT)
    assert (len(first.request), len(first.answer), first.opening) == (STEP, 2 * STEP, 1)
    assert second.request.startswith(first.request + first.answer)
    assert (len(second.request) // STEP, second.opening, second.results) == (4, 1, ("toolu_1",))


def test_what_clients_change_on_the_way_makes_no_difference() -> None:
    one = read(ASK, Message("assistant", SAID.blocks), RESULT)
    other = read(
        Message("system", (Text("Be kind."),)),
        Message("user", (Text(" Find the fault.\n"), Text("  "))),
        Message("assistant", (Text("I look."),)),
        Message("assistant", (ToolCall("toolu_1", "bash", '{"command": "ls"}', source={}), Opaque("mark"))),
        Message("tool", (ToolResult("toolu_1", (Text("[cleared]"),)),)),
    )
    assert one.request == other.request


def test_other_words_other_calls_and_other_pictures_are_other_steps() -> None:
    ends: list[tuple[RequestBlock, ...]] = [
        (Text("a"),), (Text("b"),), (Image("image/png", "AA"),), (Image("image/png", "BB"),), (Image(url="x"),),
        (ToolResult("1"),), (ToolResult("2"),), (ToolResult("", (Text("a"),)),), (ToolResult("", (Text("b"),)),),
        (ToolCall("", "n", "{}"),), (ToolCall("", "n", "[]"),), (ToolCall("", "o", "{}"),),
    ]  # fmt: skip
    assert len({read(ASK, Message("user", end)).request for end in ends}) == len(ends)
    assert read(Message("assistant", (Text("a"),))).request != read(Message("user", (Text("a"),))).request


def test_a_call_that_nobody_can_read_has_its_tools_and_nothing_else() -> None:
    assert steps_of(None, [SAID], []) == Steps(tools=read(ASK).tools)
    assert steps_of(Request("m"), [], []).request == b""


def test_set_ups_differ_by_model_and_tools_in_whatever_order() -> None:
    bash, edit = Tool("bash"), Tool("edit")
    assert read(ASK, tools=(bash, edit)).setting == read(tools=(edit, bash)).setting
    assert len({read(tools=tools).setting for tools in ((), (bash,), (bash, edit))} | {read(model="n").setting}) == 4


def test_a_delegating_call_says_what_texts_it_gave() -> None:
    task = ToolCall("1", "Task", '{"prompt": " Count the files. ", "depth": 3, "empty": " "}')
    calls = (task, ToolCall("2", "task", "not json"), ToolCall("3", "bash", '{"prompt": "x"}'))
    told = read(ASK, said=Response(blocks=calls)).tools
    assert [each.asks for each in told] == [(text_digest("Count the files."),), (), ()]
    assert read(Message("user", (Text("remember"), Text("Count the files. "))), SAID_LATER).texts == (
        text_digest("remember"),
        text_digest("Count the files."),
    )


SAID_LATER = Message("assistant", (Text("Yes."),))


def test_only_results_behind_the_last_word_of_the_model_are_new() -> None:
    old = Message("user", (ToolResult("old"), ToolResult("")))
    new = Message("user", (ToolResult("new"), Text("and")))
    assert read(ASK, old, SAID_LATER, new).results == ("new",)


def test_agents_and_clients_are_told_by_headers() -> None:
    headers = [("X-Claude-Code-Agent-Id", "a\0"), ("x-claude-code-parent-agent-id", "p"), ("User-Agent", " cli/2 (x) ")]
    assert agent_of(headers) == ("a\N{REPLACEMENT CHARACTER}", "p")
    assert agent_of([("thread-id", "t")]) == ("t", "")
    assert agent_of([]) == ("", "")
    assert (client_of(headers), client_of([]), client_of([("user-agent", "x" * 99)])) == ("cli", "", "x" * 60)


def test_what_is_no_step() -> None:
    assert is_step("user", Text("a"))
    assert not any(is_step("user", block) for block in (Text(" "), Thinking("a"), Opaque("x")))
    assert not is_step("system", Text("a"))
