"""What a decision service is asked, and what its answers come to."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from policies.base import Call
from policies.content import Image, Message, Opaque, Request, Text, Thinking, Tool, ToolCall, ToolResult
from policies.fetching import Fetch, FetchFailed
from policies.library.remote import Remote
from policies.remote_service import schema
from policies.remote_service.answer import NotADecision
from policies.testing import judge, judged_by, new_blocks, new_request
from policies.verdicts import Verdict

URL = "https://decisions.example.com/judge"
CALLED = ToolCall("call_1", "read", '{"path": "a"}')
CUSTOM = ToolCall("call_1", "patch", "a text", custom=True)
REQUEST = Request(
    "m",
    (
        Message("user", (Text("first"), Image())),
        Message("assistant", (Thinking("hm"), CALLED, Opaque("odd"))),
        Message("tool", (ToolResult("call_1", (Text("second"),)),)),
        Message("user", (Text("third"),)),
    ),
    system=(Text("be kind"),),
    tools=(Tool("read", "reads", {"type": "object"}),),
)


def remote(**config: Any) -> Remote:
    return Remote(Remote.Config(url=URL, **config))


async def asked(subject: Any, **config: Any) -> tuple[Fetch, Any]:
    """What the service hears."""
    heard: list[Fetch] = []

    async def serve(call: Call, fetch: Fetch) -> bytes:
        heard.append(fetch)
        return b'{"action": "allow"}'

    call = Call("call_9", "ci", "t", "ses", "m", "anthropic", policy="mine", version=3, mode="shadow", on_fetch=serve)
    assert (await judge(remote(**config), subject, call)).action == "allow"
    (fetch,) = heard
    return fetch, json.loads(fetch.body)


async def test_a_question_says_who_asks_about_which_call() -> None:
    fetch, body = await asked(CALLED, secret="decisions", timeout=2)
    assert (fetch.url, fetch.secret, fetch.deadline, fetch.most) == (URL, "decisions", 2, 1_000_000)
    assert body == {
        "version": 1,
        "kind": "tool_call",
        "policy": {"name": "mine", "version": 3, "mode": "shadow"},
        "call": {"id": "call_9", "key": "ci", "team": "t", "session": "ses", "model": "m", "dialect": "anthropic"},
        "tool_call": {
            **{"id": "call_1", "name": "read", "arguments": '{"path": "a"}'},
            **{"custom": False, "executed": False},
        },
    }


async def test_a_text_is_asked_about_whole() -> None:
    _, body = await asked(Text("hello"))
    assert (body["kind"], body["text"]) == ("text", "hello")


async def test_a_request_is_asked_about_with_the_numbers_of_its_texts() -> None:
    _, body = await asked(REQUEST)
    assert body["request"]["system"] == [{"kind": "text", "text": "be kind"}]
    assert body["request"]["tools"] == [{"name": "read", "description": "reads", "executed": False}]
    messages = body["request"]["messages"]
    assert [each["role"] for each in messages] == ["user", "assistant", "tool", "user"]
    assert messages[0]["blocks"] == [{"kind": "text", "edit": 0, "text": "first"}, {"kind": "image"}]
    assert [block["kind"] for block in messages[1]["blocks"]] == ["thinking", "tool_call", "opaque"]
    result = {"kind": "tool_result", "tool_call_id": "call_1"}
    assert messages[2]["blocks"] == [{**result, "blocks": [{"kind": "text", "edit": 1, "text": "second"}]}]
    assert messages[3]["blocks"][0]["edit"] == 2


async def decided(subject: Any, answer: Any) -> Verdict:
    return await judge(remote(), subject, judged_by(answer))


@pytest.mark.parametrize(
    ("subject", "answer", "action", "reason"),
    [
        (CALLED, {"action": "allow", "reason": "fine", "score": 0.1}, "allow", "fine"),
        (CALLED, {"action": "block", "reason": "bad"}, "block", "bad"),
        (CALLED, {"action": "block"}, "block", "the service says no"),
        (Text("a"), {"action": "stop"}, "stop", "the service says stop"),
        (REQUEST, {"action": "stop", "reason": "enough"}, "stop", "enough"),
        (REQUEST, {"action": "respond", "text": "Hello."}, "respond", ""),
        (REQUEST, {"action": "refuse", "reason": "busy", "status": 429, "retry_after": 3}, "refuse", "busy"),
    ],
)
async def test_a_decision_is_a_verdict(subject: Any, answer: Any, action: str, reason: str) -> None:
    verdict = await decided(subject, answer)
    assert (verdict.action, verdict.reason, verdict.score) == (action, reason, answer.get("score"))
    if action == "refuse":
        assert (verdict.status, verdict.retry_after) == (429, 3)


@pytest.mark.parametrize(
    ("subject", "answer", "becomes"),
    [
        (Text("a"), {"text": "b"}, Text("b")),
        (CALLED, {"text": "b"}, Text("b")),
        (CALLED, {"arguments": {"path": "b"}}, ToolCall("call_1", "read", '{"path":"b"}')),
        (CUSTOM, {"arguments": {"input": "b"}}, ToolCall("call_1", "patch", "b", custom=True)),
    ],
)
async def test_a_block_is_replaced(subject: Any, answer: Any, becomes: Any) -> None:
    assert new_blocks(await decided(subject, {"action": "replace", **answer})) == (becomes,)


async def test_texts_of_a_request_are_replaced_by_their_numbers() -> None:
    edits = [{"edit": 1, "text": "2nd"}, {"edit": 2, "text": "3rd"}]
    made = new_request(await decided(REQUEST, {"action": "replace", "edits": edits}))
    assert list(made.texts()) == ["be kind", "first", "2nd", "3rd"]
    assert made.messages[0] is REQUEST.messages[0]


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        (CALLED, {}),
        (CALLED, []),
        (CALLED, {"action": "maybe"}),
        (CALLED, {"action": "allow", "more": 1}),
        (CALLED, {"action": "allow", "score": 2}),
        (CALLED, {"action": "allow", "score": "0.5"}),
        (CALLED, {"action": "block", "reason": "x" * 2001}),
        (CALLED, {"action": "replace"}),
        (CUSTOM, {"action": "replace", "arguments": {"command": "x"}}),
        (CALLED, {"action": "respond", "text": "x"}),
        (CALLED, {"action": "refuse"}),
        (REQUEST, {"action": "respond"}),
        (REQUEST, {"action": "refuse", "status": 200}),
        (REQUEST, {"action": "replace", "text": "x"}),
        (REQUEST, {"action": "replace", "edits": [{"edit": 3, "text": "x"}]}),
        (REQUEST, {"action": "replace", "edits": [{"edit": -1, "text": "x"}]}),
    ],
)
async def test_anything_else_is_no_decision(subject: Any, answer: Any) -> None:
    with pytest.raises(NotADecision):
        await decided(subject, answer)


@pytest.mark.parametrize(
    "answer",
    [b"", b"allow", b"\xff", b'{"action": "allow", "action": "block"}', b"[" * 100_000, b'{"action": "allow"} more'],
)
async def test_rubbish_is_no_decision(answer: bytes) -> None:
    async def serve(call: Call, fetch: Fetch) -> bytes:
        return answer

    with pytest.raises(NotADecision):
        await judge(remote(), CALLED, Call(on_fetch=serve))


@pytest.mark.parametrize("subject", [Text("abcd"), ToolCall("1", "t", "abcd"), Request("m", system=(Text("abcd"),))])
async def test_what_is_too_long_is_blocked_and_nobody_is_asked(subject: Any) -> None:
    assert (await judge(remote(longest=3), subject)).action == "block"


async def test_outside_the_gateway_there_is_no_service() -> None:
    with pytest.raises(FetchFailed):
        await judge(remote(), CALLED)


def test_only_what_is_chosen_is_held() -> None:
    assert remote().hooks == {"on_tool_call"}
    assert remote(judges=["requests", "texts"]).hooks == {"on_request", "on_text"}


@pytest.mark.parametrize(
    "url",
    [
        "decisions.example.com",
        "file:///etc/passwd",
        "https://",
        "https://user:secret@example.com/",
        "https://example.com:port/",
        "https://example.com/#part",
        "https://example.com/\r\nx-header: 1",
    ],
)
def test_a_url_has_no_secret_in_it_and_is_one(url: str) -> None:
    with pytest.raises(ValidationError):
        Remote.Config(url=url)


def test_the_published_schema_is_current() -> None:
    published = Path(__file__).resolve().parents[3] / "docs/remote-policy.schema.json"
    assert published.read_text(encoding="utf-8") == schema.document()
