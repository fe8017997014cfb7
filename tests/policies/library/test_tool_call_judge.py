import json
from typing import Any

import pytest
from pydantic import ValidationError

from policies.asking import JudgeFailed, Question
from policies.base import Call
from policies.content import Message, Request, Text, ToolCall, UnparsableArguments
from policies.library.tool_call_judge import ToolCallJudge
from policies.testing import judge, judged_by, tool_call

CALL = tool_call("bash", command="cat /etc/hostname; echo done")


def policy(**settings: Any) -> ToolCallJudge:
    return ToolCallJudge(ToolCallJudge.Config(model="fast", **settings))


def opinion(probability: float, reason: str = "So it seems.") -> Call:
    return judged_by({"reason": reason, "probability": probability})


@pytest.mark.parametrize(
    ("probability", "threshold", "action"),
    [
        (0, 0.5, "allow"),
        (0.49, 0.5, "allow"),
        (0.5, 0.5, "block"),
        (1, 0.5, "block"),
        (0.9, 1, "allow"),
        (1, 1, "block"),
    ],
)
async def test_the_threshold_decides(probability: float, threshold: float, action: str) -> None:
    verdict = await judge(policy(threshold=threshold), CALL, opinion(probability))
    assert (verdict.action, verdict.score) == (action, probability)


async def test_the_client_reads_no_word_of_the_judges_and_the_record_no_quotation() -> None:
    verdict = await judge(policy(), CALL, opinion(0.9, "It runs cat /etc/hostname; echo done."))
    assert verdict.reason == "a judge finds it harmful with a probability of 0.90"
    assert verdict.evidence == {"judge": "fast", "says": "It runs [...]."}


async def test_only_the_chosen_tools_are_judged() -> None:
    chosen = policy(tools=("ba*", "web_*"), trusted=("web_search",))
    assert (await judge(chosen, CALL, opinion(1))).action == "block"
    assert (await judge(chosen, tool_call("read"))).action == "allow"
    assert (await judge(chosen, tool_call("web_search"))).action == "allow"


async def test_the_judge_sees_the_aim_and_the_turns_and_its_answer_may_be_remembered() -> None:
    asked: list[Question] = []

    async def says(call: Call, question: Question) -> dict[str, Any]:
        asked.append(question)
        return {"reason": "", "probability": 0}

    request = Request("m", (Message("user", (Text("Name this host."),)), Message("assistant", (Text("I will."),))))
    await judge(policy(turns=1, deadline=7, harm="It is rude {x}."), CALL, Call(on_ask=says, request=request))
    (question,) = asked
    shown = json.loads(question.subject)
    assert shown["user_said_first"] == "Name this host."
    assert shown["last_turns"] == [{"role": "assistant", "says": ["I will."]}]
    assert shown["judge_this"] == {"tool": "bash", "arguments": CALL.arguments}
    assert (question.model, question.deadline, question.cache) == ("fast", 7, True)
    assert "It is rude {x}." in question.instruction


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"probability": 0.1},
        {"reason": "good"},
        {"reason": "good", "probability": -0.1},
        {"reason": "good", "probability": 1.01},
        {"reason": "good", "probability": "0"},
        {"reason": "good", "probability": False},
        {"reason": "good", "probability": None},
        {"reason": ["good"], "probability": 0},
    ],
)
async def test_an_odd_answer_is_no_opinion(answer: dict[str, Any]) -> None:
    with pytest.raises(JudgeFailed):
        await judge(policy(), CALL, judged_by(answer))


async def test_what_is_too_long_is_blocked_unread_and_what_cannot_be_parsed_is_not_asked_about() -> None:
    assert (await judge(policy(longest=1000), tool_call("bash", command="x" * 1000))).action == "block"
    with pytest.raises(UnparsableArguments):
        await judge(policy(), ToolCall("1", "bash", "{"), opinion(0))


def test_a_judge_has_to_be_named() -> None:
    with pytest.raises(ValidationError):
        ToolCallJudge.Config.model_validate({})
