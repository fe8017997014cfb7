"""The library's own examples as calls: what a client asks and a provider says, so that a policy sees an example."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson

from gateway.dialects import Dialect
from gateway.dialects.portable import portable
from gateway.dialects.settings import Model, Settings
from gateway.upstreams.base import Outgoing
from gateway.upstreams.demo import anthropic, openai_chat, openai_responses
from gateway.upstreams.demo.provider import Reply
from gateway.upstreams.demo.script import Step, Tool, Turn, Words
from gateway.upstreams.demo.upstream import DemoAnswer
from gateway.upstreams.demo.wire import Wire, paced
from policies.base import Policy
from policies.content import Message, Request, Text, ToolCall, ToolResult
from policies.content import Tool as Offered
from policies.examples import Example
from policies.registry import catalogue
from policies.testing import request as asking

MARK = "Q7Q7Q7"
"""Stands in whatever a policy blocks, before all else; so it gets out with the first byte that does."""
WIRES: dict[str, Wire] = {
    "/messages": anthropic,
    "/chat/completions": openai_chat,
    "/responses": openai_responses,
}
_SCHEMA = {"type": "object", "properties": {MARK: {"type": "string"}}}


@dataclass(frozen=True)
class Case:
    """One example of one policy; `policy` is its name."""

    policy: str
    example: Example

    def __str__(self) -> str:
        return f"{self.policy}: {self.example.title}"

    def policy_made(self, url: str = "") -> Policy:
        """The policy with the example's config; a service that it asks is at `url`, if that is given."""
        kind = catalogue()[self.policy]
        config = dict(self.example.config)
        if url and "url" in config:
            config["url"] = url
        return kind(kind.Config(**config))

    @property
    def sees(self) -> Request | Text | ToolCall:
        """What the example sees, marked if it is to be blocked, and such as a client can send."""
        match self.example.sees:
            case Text(text) as said if self.example.does == "block":
                return dataclasses.replace(said, text=f"{MARK} {text}")
            case ToolCall() as asked if self.example.does == "block":
                return asked.with_arguments({MARK: MARK, **asked.arguments})
            case Request() as request:
                return _sendable(request)
            case seen:
                return seen

    def body(self, dialect: Dialect, stream: bool) -> bytes:
        """The client's request."""
        sees = self.sees
        request = sees if isinstance(sees, Request) else _sendable(asking("Go on."))
        if isinstance(sees, ToolCall):
            request = dataclasses.replace(request, tools=(Offered(sees.name, "", _SCHEMA),))
        normal, settings, dropped = portable(dataclasses.replace(request, stream=stream), Settings(), dialect, "nobody")
        assert not dropped
        return dialect.make_request(normal, settings, Model(request.model)).body

    def answer(self) -> Iterator[Step]:
        """What the model says."""
        match self.sees:
            case ToolCall(name=name, arguments_text=arguments):
                yield Tool("4f2a" * 6, name, arguments)
            case Text(text):
                yield Words("text", tuple(text[at : at + 3] for at in range(0, len(text), 3)))
            case _:
                yield Words("text", ("Done.",))


class Saying:
    """A provider that gives the same answer whatever it is asked, in the dialect that it is asked in."""

    provider = "theirs"

    def __init__(self, *steps: Step) -> None:
        self.asked: list[bytes] = []
        self._turn = Turn(steps)

    @asynccontextmanager
    async def send(self, outgoing: Outgoing) -> AsyncIterator[DemoAnswer]:
        self.asked.append(outgoing.body)
        wire = WIRES[outgoing.path]
        prompt = wire.read(orjson.loads(outgoing.body), "5eed" * 16)
        if prompt.stream:
            said = Reply(200, [("content-type", "text/event-stream")], paced(wire.stream(prompt, self._turn)))
        else:
            said = Reply(200, [("content-type", "application/json")], iter([wire.whole(prompt, self._turn)]))
        yield DemoAnswer(self.provider, said, 60)

    async def close(self) -> None:
        """There is nothing to close."""


def judge(case: Case) -> Saying:
    """The model that judges in a case."""
    return Saying(Words("text", (json.dumps(case.example.judge_says),)))


def cases() -> list[Case]:
    return [Case(name, example) for name, policy in catalogue().items() for example in policy.examples]


def _sendable(request: Request) -> Request:
    """With the tool calls that its results answer, and the length that not all dialects may leave open."""
    messages = list(request.messages)
    answered = [ToolCall(block.tool_call_id, "look") for block in messages[0].blocks if isinstance(block, ToolResult)]
    if answered:
        messages[:0] = [Message("user", (Text("Look."),)), Message("assistant", tuple(answered))]
    return dataclasses.replace(request, messages=tuple(messages), max_tokens=request.max_tokens or 8192)
