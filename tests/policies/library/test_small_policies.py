import pytest
from pydantic import ValidationError

from policies.base import HOOKS, Call
from policies.content import Request, Response, Text, Thinking, Tool, ToolCall
from policies.events import Start
from policies.library.debug_logging import DebugLogging
from policies.library.noop import Noop
from policies.library.tool_filter import ToolFilter
from policies.library.uppercase import Uppercase
from policies.library.uppercase_nth_word import UppercaseNthWord
from policies.testing import judge, new_request, request, stream_text, text, thinking, tool_call


async def test_noop_has_no_hooks_and_changes_nothing() -> None:
    assert not any(Noop().overrides(hook) for hook in HOOKS)
    for thing in (request("a"), text("a"), thinking("a"), tool_call("a"), Response()):
        assert (await judge(Noop(), thing)).action == "allow"
    assert stream_text(Noop(), ["a", "b"]) == "ab"


def test_uppercase_is_per_character() -> None:
    assert stream_text(Uppercase(), ["stra", "ße ς"]) == "STRASSE Σ"


async def test_uppercase_changes_requests_only_if_wanted() -> None:
    assert not Uppercase().overrides("on_request")
    policy = Uppercase(Uppercase.Config(requests=True))
    assert policy.overrides("on_request") and policy.overrides("on_text_delta")
    assert new_request(await judge(policy, request("hello"))).last_user_text == "HELLO"
    assert (await judge(policy, request("HELLO"))).action == "allow"


def test_words_are_counted_over_cuts_and_anew_in_each_block() -> None:
    policy, call = UppercaseNthWord(), Call()
    assert stream_text(policy, ["one t", "wo", " ", "three fo", "ur"], call) == "one TWO three FOUR"
    assert stream_text(policy, ["five six"], call) == "five SIX"


async def test_a_denied_tool_is_blocked_even_if_it_is_allowed() -> None:
    policy = ToolFilter(ToolFilter.Config(allow=("mcp__*", "Bash"), deny=("mcp__web__*",)))
    actions = {
        name: (await judge(policy, tool_call(name))).action for name in ("Bash", "bash", "mcp__db", "mcp__web__x")
    }
    assert actions == {"Bash": "allow", "bash": "block", "mcp__db": "allow", "mcp__web__x": "block"}


async def test_denied_tools_are_taken_out_of_the_request() -> None:
    policy = ToolFilter(ToolFilter.Config(deny=("web_*",)))
    given = Request("m", tools=(Tool("Bash"), Tool("web_search", executed=True), Tool("web_fetch")))
    verdict = await judge(policy, given)
    assert [tool.name for tool in new_request(verdict).tools] == ["Bash"]
    assert verdict.reason == "2 tools that are not allowed were removed"
    assert (await judge(policy, new_request(verdict))).action == "allow"


async def test_tools_may_stay_in_the_request_and_are_blocked_all_the_same() -> None:
    policy = ToolFilter(ToolFilter.Config(deny=("x",), remove_from_request=False))
    assert not policy.overrides("on_request")
    assert (await judge(policy, ToolCall("1", "x", executed=True))).action == "block"


async def test_notes_name_the_step_and_its_size_but_no_content() -> None:
    notes = []
    call = Call(on_note=lambda kind, text, value: notes.append((kind, text)))
    policy = DebugLogging(DebugLogging.Config(hooks=HOOKS))
    assert all(policy.overrides(hook) for hook in HOOKS)
    for thing in (
        Request("m", request("secret").messages, tools=(Tool("t"),)),
        Text("secret"),
        Thinking("secret"),
        tool_call("t", x="secret"),
        Response(blocks=(Text("secret"),), stop_reason="end_turn"),
    ):
        assert (await judge(policy, thing, call)).action == "allow"
    start = Start()
    assert policy.on_event(start, call) is start
    stream_text(policy, ["secret"], call)
    policy.on_tool_call_delta("secret", call)
    policy.on_finish("end_turn", call)
    await policy.on_end(call, "finished")
    assert {kind for kind, _ in notes} == set(HOOKS)
    assert ("on_request", "m: 1 messages, 6 characters, 1 tools") in notes
    assert ("on_answer", "end_turn: text") in notes
    assert not any("secret" in text for _, text in notes)


def test_only_the_chosen_steps_cost_anything() -> None:
    assert {hook for hook in HOOKS if DebugLogging().overrides(hook)} == {"on_request", "on_finish", "on_end"}
    with pytest.raises(ValidationError):
        DebugLogging.Config(hooks=("on_everything",))
