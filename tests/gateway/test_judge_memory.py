import dataclasses
from typing import cast

import pytest
from pydantic import BaseModel

from gateway.directory import Target
from gateway.judge_memory import LONGEST, JudgeMemory, key
from policies.asking import Question
from policies.base import Call


class Opinion(BaseModel):
    bad: bool


class Other(BaseModel):
    good: bool


class Served:
    provider = "p"
    model = "m"


def target(**changes: str) -> Target:
    served = Served()
    for name, value in changes.items():
        setattr(served, name, value)
    return cast(Target, served)


CALL = Call(id="call_1", policy="guard", version=3)
QUESTION = Question("fast", "Is it bad?", "a text", Opinion, 3.0, 9, cache=True)


def test_what_is_kept_comes_back_and_nobody_can_change_it() -> None:
    memory = JudgeMemory()
    answer = {"bad": True, "why": ["so"]}
    memory.keep(b"a", answer)
    answer["why"] = []
    got = memory.get(b"a")
    assert got == {"bad": True, "why": ["so"]}
    got["why"].append("no")
    assert memory.get(b"a") == {"bad": True, "why": ["so"]}
    assert memory.get(b"b") is None


def test_what_was_not_wanted_for_the_longest_time_goes_first() -> None:
    memory = JudgeMemory(2)
    memory.keep(b"a", {"n": 1})
    memory.keep(b"b", {"n": 2})
    assert memory.get(b"a")
    memory.keep(b"c", {"n": 3})
    assert len(memory) == 2
    assert (memory.get(b"a"), memory.get(b"b")) == ({"n": 1}, None)


def test_an_answer_that_is_too_long_is_not_kept() -> None:
    memory = JudgeMemory()
    memory.keep(b"a", {"n": "x" * LONGEST})
    assert len(memory) == 0


def test_the_same_question_has_the_same_key_whoever_calls_and_however_long_he_waits() -> None:
    later = dataclasses.replace(CALL, id="call_2", key="another", mode="shadow")
    assert key(later, dataclasses.replace(QUESTION, deadline=9.0), target()) == key(CALL, QUESTION, target())


@pytest.mark.parametrize(
    ("call", "question", "asked"),
    [
        (dataclasses.replace(CALL, version=4), QUESTION, target()),
        (dataclasses.replace(CALL, policy="other"), QUESTION, target()),
        (CALL, dataclasses.replace(QUESTION, subject="a text "), target()),
        (CALL, dataclasses.replace(QUESTION, instruction="Is it good?"), target()),
        (CALL, dataclasses.replace(QUESTION, answer=Other), target()),
        (CALL, dataclasses.replace(QUESTION, max_tokens=8), target()),
        (CALL, dataclasses.replace(QUESTION, instruction="Is it bad?a", subject=" text"), target()),
        (CALL, QUESTION, target(model="another")),
        (CALL, QUESTION, target(provider="another")),
    ],
)
def test_another_version_word_form_or_judge_is_another_key(call: Call, question: Question, asked: Target) -> None:
    assert key(call, question, asked) != key(CALL, QUESTION, target())
