"""What a policy makes of a request it makes again on every later turn: providers bind their thinking to it."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from policies.base import Call, Policy
from policies.content import Message, Request, RequestBlock, Text, Thinking, Tool, ToolCall, ToolResult
from policies.examples import Example
from policies.registry import catalogue
from policies.testing import judge
from policies.verdicts import Verdict

TURNS = 10
WRITTEN = [
    text
    for policy in catalogue().values()
    for example in policy.examples
    for text in (example.sees.texts() if isinstance(example.sees, Request) else [json.dumps(str(example.sees))])
    if len(text) < 300
]
"""What all policies look for, as the user, the tools and the model of a session say it, one after the other."""
CASES = [
    pytest.param(policy, example, id=f"{name}: {example.title}")
    for name, policy in catalogue().items()
    for example in policy.examples
    if example.judge_says is None
]
"""All but what asks somebody: a judge rewrites no request, and what a service writes is its own."""
# Where a setting says whether requests are rewritten, they are.
WHEREVER = {
    "places": ("user", "system", "tool_results", "tool_definitions"),
    "requests": True,
    "user_messages": True,
    "action": "redact",
}


def session(turns: int) -> Request:
    """The request of a turn: the whole conversation, with thinking and tool calls."""
    messages: list[Message] = []
    for turn in range(turns):
        said = [Text(written) for written in WRITTEN[turn::TURNS]]
        asked: list[RequestBlock] = [*said]
        if turn:
            asked.insert(0, ToolResult(f"call_{turn - 1}", (*said, Text("ann@acme.dev"))))
        messages.append(Message("user", tuple(asked)))
        called = ToolCall(f"call_{turn}", "web_fetch", '{"url": "https://example.org"}')
        messages.append(Message("assistant", (Thinking("Hm.", f"signed {turn}"), *said[:1], called)))
    system = (Text("Deploy with AKIAQ3EGRMXW7TL2ZBND."),)
    return Request("demo/echo", tuple(messages[:-1]), system, tools=(Tool("web_fetch"), Tool("look")))


def configured(policy: type[Policy], example: Example) -> Policy:
    config = dict(example.config)
    for name, field in policy.Config.model_fields.items():
        if name in WHEREVER and (name != "requests" or field.annotation is bool):
            config[name] = WHEREVER[name]
    return policy(policy.Config.model_validate(config))


async def judged(policy: Policy, turn: int) -> tuple[Verdict, Request]:
    """The verdict on a turn, and what the provider would be sent."""
    request = session(turn)
    verdict = await judge(policy, request, Call(request=request, session="s", key="k"))
    return verdict, verdict.content if isinstance(verdict.content, Request) else request


@pytest.mark.parametrize(("policy", "example"), CASES)
async def test_a_conversation_that_is_rewritten_only_grows(policy: type[Policy], example: Example) -> None:
    made = configured(policy, example)
    turns = [await judged(made, turn) for turn in range(1, TURNS + 1)]
    for (verdict, sent), (later, next_sent) in pairwise(turns):
        if verdict.action == "block":
            assert later.action == "block"
        if {verdict.action, later.action} <= {"allow", "replace", "reroute"}:
            assert next_sent.messages[: len(sent.messages)] == sent.messages
            assert (next_sent.system, next_sent.tools) == (sent.system, sent.tools)


async def test_the_policies_that_rewrite_requests_do_so_here() -> None:
    """So that the test above can fail."""
    rewriting = set()
    for name, policy in catalogue().items():
        for example in policy.examples:
            if example.judge_says is None:
                _, sent = await judged(configured(policy, example), TURNS)
                rewriting |= {name} if sent.messages != session(TURNS).messages else set()
    assert rewriting == {"secrets", "pii", "content_filter", "string_replacement", "uppercase"}
