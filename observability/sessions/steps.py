"""A call as steps of a conversation, by which calls that go on from one another are known. Pure.

A step is a block of a message. Steps are named by rolling digests: that of a step covers all before it, so that two
conversations with one digest at one place are the same up to there. What clients change on the way is left out of them:
thinking, marks for caches, results of tools (the id says which), system prompts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from observability.text import clean, clean_name
from policies.content import (
    Image,
    Message,
    Request,
    RequestBlock,
    Response,
    Text,
    ToolCall,
    ToolResult,
    UnparsableArguments,
)

STEP = 8
"""Bytes of a step's digest."""
AGENT_HEADERS = ("x-claude-code-agent-id", "thread-id", "x-codex-thread-id")
PARENT_HEADERS = ("x-claude-code-parent-agent-id",)
"""Headers by which clients name the agent that calls, and the one that it works for."""
MOST_TEXTS = 16
MOST_TOOLS = 64
DELEGATING = frozenset(
    {"task", "agent", "dispatch_agent", "spawn_agent", "start_agent", "run_agent", "subagent", "run_subagent"}
    | {"delegate", "delegate_task", "new_task"}
)
"""Names of tools, in lower case, by which an agent sets another one to work."""


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call of an answer. `asks` are digests of the texts that one of DELEGATING was given."""

    id: str
    name: str
    asks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Steps:
    """What a call says of its place in a conversation.

    `request` has the digests of the request's steps, `answer` those of the answer that the client got, rolled on from
    there. The first `opening` steps come before any of the model's. `setting` tells calls of one set-up (model and
    tools) from others. `texts` are digests of the opening's texts by themselves, `results` the ids of tool calls whose
    results are new.
    """

    request: bytes = b""
    answer: bytes = b""
    opening: int = 0
    setting: str = ""
    texts: tuple[str, ...] = ()
    tools: tuple[Called, ...] = ()
    results: tuple[str, ...] = ()


def steps_of(request: Request | None, said: Sequence[Response], given: Sequence[Response]) -> Steps:
    """The steps of a call: what was asked, what the model said and what the client got."""
    if request is None:
        return Steps(tools=tuple(_called(said)))
    rolled = list(_rolled(_steps(request.messages), b""))
    opening = next((place for place, step in enumerate(_roles(request.messages)) if step == "assistant"), len(rolled))
    answer = [Message("assistant", each.blocks) for each in given[:1]]
    return Steps(
        b"".join(rolled),
        b"".join(_rolled(_steps(answer), rolled[-1] if rolled else b"")),
        opening,
        _setting(request),
        tuple(_opening_texts(request.messages))[:MOST_TEXTS],
        tuple(_called(said))[:MOST_TOOLS],
        tuple(_new_results(request.messages)),
    )


def is_step(role: str, block: RequestBlock) -> bool:
    """Whether a block of a message of `role` counts as a step."""
    return bool(_name(role, block))


def agent_of(headers: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Which agent calls and for which it works, as the client's headers say; empty where they do not."""
    known = {name.lower(): value for name, value in reversed(list(headers))}
    return _first(known, AGENT_HEADERS), _first(known, PARENT_HEADERS)


def client_of(headers: Iterable[tuple[str, str]]) -> str:
    """The client's program, as its user agent begins: `claude-cli`."""
    agent = next((value for name, value in headers if name.lower() == "user-agent"), "")
    return clean(agent.strip().partition(" ")[0].partition("/")[0], 60)


def text_digest(text: str) -> str:
    """A text by itself, but for space around it."""
    return blake2b(text.strip().encode("utf-8", "surrogatepass"), digest_size=STEP).hexdigest()


def _first(known: Mapping[str, str], names: Iterable[str]) -> str:
    return next((clean_name(known[name]) for name in names if known.get(name)), "")


def _roles(messages: Iterable[Message]) -> Iterator[str]:
    return (message.role for message in messages for block in message.blocks if is_step(message.role, block))


def _steps(messages: Iterable[Message]) -> Iterator[bytes]:
    for message in messages:
        for block in message.blocks:
            if name := _name(message.role, block):
                yield name


def _rolled(names: Iterable[bytes], before: bytes) -> Iterator[bytes]:
    for name in names:
        before = blake2b(before + name, digest_size=STEP).digest()
        yield before


def _name(role: str, block: RequestBlock) -> bytes:
    """What a step is known by; empty where the block is none."""
    if role == "system":
        return b""
    what: tuple[str, ...]
    match block:
        case Text():
            what = ("text", block.text.strip()) if block.text.strip() else ()
        case ToolCall():
            what = ("call", block.id) if block.id else ("call", block.name, block.arguments_text)
        case ToolResult() if block.tool_call_id:
            what = ("result", block.tool_call_id)
        case ToolResult():
            what = ("result", *(each.text for each in block.blocks if isinstance(each, Text)))
        case Image():
            what = ("image", block.media_type, block.url, block.data)
        case _:
            what = ()
    by = "model" if role == "assistant" else "client"
    return "\0".join((by, *what)).encode("utf-8", "surrogatepass") if what else b""


def _setting(request: Request) -> str:
    said = "\0".join((request.model, *sorted(tool.name for tool in request.tools)))
    return text_digest(said)


def _opening_texts(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        if message.role == "assistant":
            return
        for block in message.blocks:
            if message.role != "system" and isinstance(block, Text) and block.text.strip():
                yield text_digest(block.text)


def _new_results(messages: Sequence[Message]) -> Iterator[str]:
    """Of the results behind the last message of the model."""
    last = max((place for place, message in enumerate(messages) if message.role == "assistant"), default=-1)
    for message in messages[last + 1 :]:
        for block in message.blocks:
            if isinstance(block, ToolResult) and block.tool_call_id:
                yield clean_name(block.tool_call_id)


def _called(answers: Iterable[Response]) -> Iterator[Called]:
    for answer in answers:
        for call in answer.tool_calls:
            yield Called(clean_name(call.id), clean_name(call.name), tuple(_asks(call)))


def _asks(call: ToolCall) -> Iterator[str]:
    if call.name.lower() not in DELEGATING:
        return
    try:
        given: Mapping[str, Any] = call.arguments
    except UnparsableArguments:
        return
    for value in list(given.values())[:MOST_TEXTS]:
        if isinstance(value, str) and value.strip():
            yield text_digest(value)
