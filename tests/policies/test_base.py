import dataclasses
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from policies.asking import JudgeFailed, Question
from policies.base import ANSWER_HOOKS, HOOKS, Call, Policy, seen_by
from policies.content import Request, Response, Text, Thinking, ToolCall
from policies.events import Start
from policies.verdicts import allow


class Loud(Policy):
    """Only for this test."""

    class Config(Policy.Config):
        n: int = 1

    def on_text_delta(self, text: str, call: Call, final: bool) -> tuple[str, int]:
        return text.upper(), 0


def test_the_hooks_stand_in_the_order_of_a_calls_life() -> None:
    assert HOOKS == (
        "on_request",
        "on_event",
        "on_text_delta",
        "on_text",
        "on_thinking",
        "on_tool_call_delta",
        "on_tool_call",
        "on_answer",
        "on_finish",
        "on_end",
    )
    assert frozenset(HOOKS) - {"on_request", "on_end"} == ANSWER_HOOKS


def test_every_hook_says_what_it_is_for() -> None:
    assert all(getattr(Policy, hook).__doc__ for hook in HOOKS)


async def test_a_policy_without_hooks_lets_everything_through() -> None:
    policy, call, start = Policy(), Call(), Start()
    assert await policy.on_request(Request("m"), call) == allow()
    assert await policy.on_text(Text(""), call) == allow()
    assert await policy.on_thinking(Thinking(""), call) == allow()
    assert await policy.on_tool_call(ToolCall("", ""), call) == allow()
    assert await policy.on_answer(Response(), call) == allow()
    assert policy.on_event(start, call) is start
    assert policy.on_text_delta("a", call, False) == ("a", 0)
    policy.on_tool_call_delta("", call)
    policy.on_finish("", call)
    await policy.on_end(call, "finished")
    assert not any(policy.overrides(hook) for hook in HOOKS)


def test_a_policy_overrides_what_it_defines() -> None:
    assert [hook for hook in HOOKS if Loud().overrides(hook)] == ["on_text_delta"]


def test_a_config_is_validated_and_never_changes() -> None:
    assert Loud().config == Loud.Config(n=1)
    with pytest.raises(ValidationError):
        Loud.Config.model_validate({"m": 1})
    with pytest.raises(ValidationError):
        setattr(Loud().config, "n", 2)  # noqa: B010


def test_notes_go_where_the_gateway_wants_them() -> None:
    notes = []
    Call(on_note=lambda *note: notes.append(note)).note("kind", "text", 1.0)
    Call().note("nobody listens")
    assert notes == [("kind", "text", 1.0)]


def test_each_call_has_a_state_of_its_own() -> None:
    assert Call().state is not Call().state


def test_a_call_is_the_same_for_each_policy_but_for_what_it_is_in_force_as() -> None:
    call = Call("call_1", "ci", "t", "s", "m", "anthropic", Request("m"), {"old": 1}, page="p", only_counts=True)
    seen = seen_by(call, "mine", 3, "shadow")
    assert seen == dataclasses.replace(call, state={}, policy="mine", version=3, mode="shadow")
    assert call.state == {"old": 1}


class Opinion(BaseModel):
    bad: bool


async def test_a_judges_answer_is_an_object_of_the_class_that_was_asked_for() -> None:
    questions: list[Question] = []

    async def answer(call: Call, question: Question) -> dict[str, Any]:
        questions.append(question)
        return {"bad": True, "more": 1}

    opinion = await Call(on_ask=answer).ask("fast", "Is it bad?", "a text", Opinion, deadline=3, max_tokens=9)
    assert opinion == Opinion(bad=True)
    assert questions == [Question("fast", "Is it bad?", "a text", Opinion, 3, 9)]
    assert questions[0].schema == Opinion.model_json_schema()


async def test_an_answer_of_another_form_is_none() -> None:
    async def answer(call: Call, question: Question) -> dict[str, Any]:
        return {"bad": "who knows"}

    with pytest.raises(JudgeFailed, match="the judge fast gave an answer of another form"):
        await Call(on_ask=answer).ask("fast", "Is it bad?", "a text", Opinion)


async def test_outside_the_gateway_there_is_no_judge() -> None:
    with pytest.raises(JudgeFailed):
        await Call().ask("fast", "Is it bad?", "a text", Opinion)
