"""Promise 4: any blocks, cut in any way, under any chain of the first policies: streamed equals unstreamed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.dialects import ANTHROPIC, OPENAI_CHAT, OPENAI_RESPONSES, Dialect
from gateway.executor import PolicyExecutor
from policies.active import ActivePolicy
from policies.base import Call, Policy
from policies.content import Response, Text, ToolCall
from policies.events import Event, response_events
from policies.registry import catalogue
from policies.verdicts import Decision
from tests.gateway.dialects.contents import anthropic_responses, chat_responses, names, responses_responses
from tests.gateway.executor.playing import cut, through
from tests.streams import request_for

CHAINS: dict[str, list[dict[str, Any]]] = {
    "noop": [{}],
    "debug_logging": [{}],
    "uppercase": [{}],
    "uppercase_nth_word": [{"n": 1}, {"n": 2}, {"n": 3}],
    "string_replacement": [
        {"rules": [{"find": "a", "replace": ""}, {"find": "bc", "replace": "cab"}]},
        {"rules": [{"find": r"\w+", "replace": r"<\0>", "regex": True}], "tool_arguments": True},
        {"rules": [{"find": "E", "replace": "e and e", "ignore_case": True}]},
    ],
    "plain_dashes": [{}],
    "conversation_link": [{}],
    "tool_filter": [{"deny": ["*a*"]}, {"allow": ["bash", "?"]}],
    "block_dangerous_commands": [{}],
    "secrets": [{}, {"action": "block", "places": ["text", "tool_arguments", "thinking"]}],
    "content_filter": [
        {"places": ["text", "tool_arguments"], "terms": ["a", "bc"], "whole_words": False, "patterns": ["E+"]},
        {"places": ["text"], "action": "flag", "terms": ["a"]},
    ],
    "pii": [{"places": ["text", "tool_arguments"]}],
    "argument_rules": [{"rules": [{"path": "**", "deny": ["rm*", "*a*"]}]}],
    "sql_protection": [{"code_blocks": True}],
}


def _policy(name: str, config: dict[str, Any]) -> Policy:
    kind = catalogue()[name]
    return kind(kind.Config(**config))


policies = st.sampled_from([(name, config) for name, configs in CHAINS.items() for config in configs])
chains = st.lists(policies, max_size=4)
shells = st.sampled_from(["ls", "rm -rf /", "git status", "curl x | sh", "echo 'rm -rf /'", "rm -rf ("])


@st.composite
def _with_shells(draw: st.DrawFn, responses: st.SearchStrategy[Response]) -> Response:
    """Some of the tool calls are shells, with commands that a policy may object to."""
    response = draw(responses)
    blocks = tuple(
        ToolCall(block.id, "bash", json.dumps({"command": draw(shells)}, separators=(",", ":")))
        if isinstance(block, ToolCall) and draw(st.booleans())
        else block
        for block in response.blocks
    )
    return Response(response.id, response.model, blocks, response.stop_reason, response.usage)


@dataclass
class Said:
    blocks: list[Any]
    stop_reason: str
    decisions: list[tuple[str, str, str, str]]


def _executor(chain: Sequence[tuple[str, dict[str, Any]]], dialect: Dialect, log: list[Decision]) -> PolicyExecutor:
    activations = [
        ActivePolicy(f"{name}-{place}", 1, _policy(name, config), order=place)
        for place, (name, config) in enumerate(chain)
    ]
    call = Call("call_1", request=request_for("any"), page="https://luthien.example/calls/call_1/")
    return PolicyExecutor(activations, call, log.append, began=0.0, binds_thinking=dialect.binds_thinking)


async def _batches(batches: Sequence[list[Event]]) -> AsyncGenerator[list[Event], None]:
    for batch in batches:
        yield batch


def _said(dialect: Dialect, raw: bytes, streamed: bool, log: list[Decision]) -> Said:
    (response,) = dialect.read_recorded(raw, streamed) or [Response()]
    blocks = [_comparable(block) for block in response.blocks]
    decisions = sorted((d.policy, d.hook, d.block, d.action) for d in log)
    return Said(blocks, response.stop_reason, decisions)


def _comparable(block: Any) -> Any:
    """A whole answer of Anthropic's has the arguments as an object, so their spelling is not compared."""
    if isinstance(block, ToolCall):
        return (block.id, block.name, block.arguments)
    return block


async def _streamed(dialect: Dialect, response: Response, chain: Any, piece: int, chunk: int) -> Said:
    log: list[Decision] = []
    request = request_for("any")
    wire = dialect.writer(request)
    stream = b"".join(wire.write(cut(event, piece)) for event in response_events(response))
    reader, writer = dialect.reader(request), dialect.writer(request)
    batches = [reader.feed(stream[at : at + chunk]) for at in range(0, len(stream), chunk)]
    out = b""
    async for events in through(_executor(chain, dialect, log), _batches([*batches, reader.close()])):
        out += writer.write(events)
    return _said(dialect, out, True, log)


async def _whole(dialect: Dialect, response: Response, chain: Any) -> Said:
    log: list[Decision] = []
    events = dialect.read_answer(dialect.write_answer(list(response_events(response))))
    released = [event async for batch in through(_executor(chain, dialect, log), _batches([events])) for event in batch]
    return _said(dialect, dialect.write_answer(released), False, log)


_sizes = st.integers(1, 40)
_patiently = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def _same(dialect: Dialect, response: Response, chain: Any, piece: int, chunk: int) -> None:
    async def both() -> tuple[Said, Said]:
        return await _streamed(dialect, response, chain, piece, chunk), await _whole(dialect, response, chain)

    streamed, whole = asyncio.run(both())
    assert streamed == whole


@given(_with_shells(anthropic_responses), chains, _sizes, _sizes)
@_patiently
def test_an_anthropic_answer_is_the_same_streamed_and_whole(
    response: Response, chain: Any, piece: int, chunk: int
) -> None:
    _same(ANTHROPIC, response, chain, piece, chunk)


@given(_with_shells(chat_responses()), chains, _sizes, _sizes)
@_patiently
def test_a_chat_answer_is_the_same_streamed_and_whole(response: Response, chain: Any, piece: int, chunk: int) -> None:
    _same(OPENAI_CHAT, response, chain, piece, chunk)


@given(_with_shells(responses_responses()), chains, _sizes, _sizes)
@_patiently
def test_a_responses_answer_is_the_same_streamed_and_whole(
    response: Response, chain: Any, piece: int, chunk: int
) -> None:
    _same(OPENAI_RESPONSES, response, chain, piece, chunk)


@pytest.mark.parametrize("dialect", [ANTHROPIC, OPENAI_CHAT, OPENAI_RESPONSES], ids=lambda dialect: dialect.name)
@given(text=st.text("abc \n", min_size=1, max_size=60), chain=chains, piece=_sizes, chunk=_sizes, name=names)
@_patiently
def test_dense_matches_are_the_same_streamed_and_whole(
    dialect: Dialect, text: str, chain: Any, piece: int, chunk: int, name: str
) -> None:
    _same(dialect, Response(name, name, (Text(text),), "end_turn"), chain, piece, chunk)
