"""Calls that are pasted: which dialect they are in, and what is wrong with them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.console.replay import NotReplayable, pasted, replay
from policies.registry import build
from tests.console.test_replay import ASKED, active
from tests.streams import STREAMED, answers, recordings


@pytest.mark.parametrize(("dialect", "name", "raw"), [(d, n, r) for d in STREAMED for n, r in recordings(d)])
def test_a_pasted_stream_is_recognised(dialect: str, name: str, raw: bytes) -> None:
    assert pasted(json.dumps(ASKED[dialect]), raw.decode(errors="replace")).dialect == dialect


@pytest.mark.parametrize(("dialect", "name", "raw"), [(d, n, r) for d in STREAMED for n, r in answers(d)])
def test_a_pasted_answer_is_recognised(dialect: str, name: str, raw: bytes) -> None:
    assert pasted(json.dumps({"model": "m", "messages": []}), raw.decode()).dialect == dialect


@pytest.mark.parametrize(
    ("asked", "dialect"),
    [
        ({"input": "hello"}, "openai_responses"),
        ({"messages": [], "system": "be brief"}, "anthropic"),
        ({"messages": [], "tools": [{"name": "bash", "input_schema": {}}]}, "anthropic"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]}, "anthropic"),
        ({"messages": [{"role": "user", "content": "hello"}], "max_tokens": 5, "model": "claude-x"}, "anthropic"),
        ({"messages": [{"role": "user", "content": "hello"}], "max_tokens": 5, "model": "gpt-x"}, "openai_chat"),
        ({"messages": [{"role": "system", "content": "hello"}], "max_tokens": 5}, "openai_chat"),
        ({"messages": [{"role": "assistant", "tool_calls": []}]}, "openai_chat"),
        ({"messages": [{"role": "user", "content": "hello"}]}, "openai_chat"),
    ],
)
def test_a_pasted_request_alone_is_recognised(asked: dict[str, Any], dialect: str) -> None:
    assert pasted(json.dumps(asked)).dialect == dialect
    assert pasted(json.dumps(asked), dialect="anthropic").dialect == "anthropic"


@pytest.mark.parametrize(
    ("request_text", "answer", "problem"),
    [
        ("", "", "The request is not JSON: line 1, column 1."),
        ("[]", "", "The request is not a JSON object."),
        ("[" * 100_000, "", "The request is not JSON."),
        ('{"messages": []}', "rubbish", "The answer is not JSON: line 1, column 1."),
        ("{}", "", "Neither text says which API it belongs to: choose one."),
    ],
)
def test_what_cannot_be_replayed_says_why(request_text: str, answer: str, problem: str) -> None:
    with pytest.raises(NotReplayable, match=problem):
        pasted(request_text, answer)


async def test_a_pasted_stream_with_the_line_ends_of_a_form_is_replayed() -> None:
    raw = dict(recordings("anthropic"))["text"].decode().replace("\n", "\r\n").rstrip()
    result = await replay(pasted(json.dumps(ASKED["anthropic"]), raw), [active(build("uppercase", {}))])
    assert (result.outcome, result.fate) == ("finished", "rewritten")
    assert result.wire.startswith(b"event: message_start")
