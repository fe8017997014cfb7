import json
from typing import Any

import pytest
from pydantic import ValidationError

from policies.asking import JudgeFailed, Question
from policies.base import HOOKS, Call
from policies.content import Message, Request, Text, ToolCall, ToolResult
from policies.library.plain_english_rules import PlainEnglishRules
from policies.testing import judge, judged_by, new_blocks, text, tool_call
from policies.verdicts import Verdict, allow

CALL = tool_call("bash", command="pip install x", timeout=5)
SESSION = Request(
    "m",
    (
        Message("user", (Text("First."),)),
        Message("assistant", (ToolCall("1", "read", "{}"),)),
        Message("tool", (ToolResult("1", (Text("What the tool says."),)),)),
    ),
)


def policy(**settings: Any) -> PlainEnglishRules:
    return PlainEnglishRules(PlainEnglishRules.Config(model="fast", rules=("Be kind.", "Use uv."), **settings))


def ruling(action: str, rule: int = 2, **more: Any) -> Call:
    return judged_by({"reason": "So it is.", "rule": rule, "action": action, **more})


def asking(questions: list[Question], *forbidden: str, fails: str = "nothing") -> Call:
    """A judge that forbids what has one of `forbidden` in it, and fails on what has `fails`."""

    async def says(call: Call, question: Question) -> dict[str, Any]:
        questions.append(question)
        judged = json.dumps(json.loads(question.subject)["judge_this"])
        if fails in judged:
            raise JudgeFailed("down")
        return {"reason": "", "rule": 1, "action": "block" if any(word in judged for word in forbidden) else "allow"}

    return Call(on_ask=says)


def test_only_what_was_chosen_is_held() -> None:
    def hooks(**settings: Any) -> list[str]:
        return [hook for hook in HOOKS if policy(**settings).overrides(hook)]

    assert hooks() == ["on_text", "on_tool_call"]
    assert hooks(applies_to=("requests",)) == ["on_request"]


@pytest.mark.parametrize("thing", [CALL, text("Hello."), SESSION])
async def test_it_allows_and_blocks_by_the_rule(thing: ToolCall | Text | Request) -> None:
    allowed = await judge(policy(), thing, ruling("allow", 0))
    assert (allowed.action, allowed.evidence) == ("allow", {"judge": "fast", "rule": 0, "says": "So it is."})
    blocked = await judge(policy(), thing, ruling("block"))
    assert (blocked.action, blocked.reason) == ("block", "rule 2 forbids it")


async def test_a_rule_that_there_is_not_still_blocks() -> None:
    assert (await judge(policy(), CALL, ruling("block", 9))).reason == "one of the rules forbids it"


async def test_a_text_is_rewritten() -> None:
    verdict = await judge(policy(), text("You fool."), ruling("rewrite", 1, text="You."))
    assert (verdict.action, new_blocks(verdict), verdict.reason) == ("replace", (Text("You."),), "rule 1")


async def test_a_rewriting_that_changes_nothing_allows() -> None:
    assert (await judge(policy(), text("You."), ruling("rewrite", text="You."))).action == "allow"


async def test_a_tool_call_is_rewritten_only_where_that_was_chosen() -> None:
    new = {"command": "uv pip install x", "timeout": 5}
    with pytest.raises(JudgeFailed):
        await judge(policy(), CALL, ruling("rewrite", arguments=new))
    verdict = await judge(policy(rewrites=("tool_calls",)), CALL, ruling("rewrite", arguments=new))
    assert new_blocks(verdict) == (CALL.with_arguments(new),)


@pytest.mark.parametrize(
    "arguments",
    [None, {"command": "x", "run_as": "root"}, {"command": ["x"]}, {"command": "x", "timeout": "5"}],
)
async def test_a_judge_gives_a_tool_call_no_other_form(arguments: Any) -> None:
    with pytest.raises(JudgeFailed):
        await judge(policy(rewrites=("tool_calls",)), CALL, ruling("rewrite", arguments=arguments))


async def test_what_the_provider_ran_and_what_is_not_to_be_rewritten_is_not_offered_for_it() -> None:
    questions: list[Question] = []
    call = asking(questions)
    executed = ToolCall("1", "web_search", "{}", executed=True)
    for thing in (executed, text("Hello."), CALL):
        await judge(policy(rewrites=("tool_calls",)), thing, call)
    actions = [question.schema["properties"]["action"]["enum"] for question in questions]
    assert actions == [["allow", "block"], ["allow", "block"], ["allow", "rewrite", "block"]]
    assert "1. Be kind.\n2. Use uv." in questions[0].instruction
    assert all(question.cache for question in questions)


async def test_a_rewriting_may_be_as_long_as_the_text() -> None:
    questions: list[Question] = []
    for length in (10, 10_000, 90_000):
        await judge(policy(), text("x" * length), asking(questions))
    assert [question.max_tokens > len(question.subject) for question in questions] == [True, True, False]


@pytest.mark.parametrize("answer", [{}, {"action": "allow"}, {"reason": "", "rule": "2", "action": "allow"}])
async def test_an_odd_answer_is_no_ruling(answer: dict[str, Any]) -> None:
    with pytest.raises(JudgeFailed):
        await judge(policy(), CALL, judged_by(answer))


async def test_a_rewriting_without_a_text_is_no_ruling() -> None:
    with pytest.raises(JudgeFailed):
        await judge(policy(), text("Hello."), ruling("rewrite"))


async def test_a_request_is_never_rewritten() -> None:
    with pytest.raises(JudgeFailed):
        await judge(policy(), SESSION, ruling("rewrite", text="x"))


async def test_each_stretch_of_a_request_is_judged_with_what_was_before_it() -> None:
    questions: list[Question] = []
    assert (await judge(policy(), SESSION, asking(questions))).action == "allow"
    first, second = (json.loads(question.subject) for question in questions)
    assert (first["judge_this"], first["last_turns"]) == ({"user_says": ["First."]}, [])
    assert second["judge_this"] == {"tools_returned": ["What the tool says."]}
    assert [turn["role"] for turn in second["last_turns"]] == ["user", "assistant"]


async def test_only_the_newest_stretches_are_judged() -> None:
    questions: list[Question] = []
    assert (await judge(policy(request_turns=1), SESSION, asking(questions, "First"))).action == "allow"
    assert len(questions) == 1


async def test_one_forbidden_stretch_blocks_a_request_also_where_the_judge_failed_on_another() -> None:
    verdict = await judge(policy(), SESSION, asking([], "tool says", fails="First"))
    assert verdict.action == "block"
    with pytest.raises(JudgeFailed):
        await judge(policy(), SESSION, asking([], fails="First"))


async def test_nothing_to_judge_is_allowed_and_what_is_too_long_is_blocked_unread() -> None:
    verdicts: list[Verdict] = [await judge(policy(), thing) for thing in (text(" \n"), Request("m"))]
    assert verdicts == [allow(), allow()]
    long = "x" * 1_001
    request = Request("m", (Message("user", (Text(long),)),))
    for thing in (text(long), tool_call("bash", command=long), request):
        assert (await judge(policy(longest=1_000), thing)).action == "block"


def test_rules_and_a_judge_have_to_be_named() -> None:
    for config in ({"model": "fast"}, {"rules": ["x"]}, {"model": "fast", "rules": []}, {"model": "", "rules": ["x"]}):
        with pytest.raises(ValidationError):
            PlainEnglishRules.Config.model_validate(config)
