"""Hypothesis strategies for neutral content."""

from __future__ import annotations

import dataclasses
import json

from hypothesis import strategies as st

from policies.content import Block, Response, Text, Thinking, ToolCall, Usage

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=10)
arguments = st.dictionaries(
    names, st.recursive(st.none() | st.booleans() | st.integers() | texts, st.lists, max_leaves=4)
)
counts = st.integers(0, 100_000)
usages = st.builds(Usage, counts, counts, counts, counts)
tool_calls = st.builds(
    ToolCall, names, names, arguments.map(lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False))
)


def responses(blocks: st.SearchStrategy[Block], reasons: list[str]) -> st.SearchStrategy[Response]:
    """Responses whose tool calls have ids of their own."""
    unique = st.lists(blocks, max_size=5).map(_with_unique_ids)
    return st.builds(Response, names, names, unique, st.sampled_from(reasons), usages)


def _with_unique_ids(blocks: list[Block]) -> tuple[Block, ...]:
    return tuple(
        ToolCall(f"call_{place}", block.name, block.arguments_text, block.executed)
        if isinstance(block, ToolCall)
        else block
        for place, block in enumerate(blocks)
    )


anthropic_blocks: st.SearchStrategy[Block] = st.one_of(
    st.builds(Text, texts), st.builds(Thinking, texts, texts), tool_calls
)
anthropic_responses = responses(anthropic_blocks, ["end_turn", "max_tokens", "tool_use", "refusal", "pause_turn"])


@st.composite
def chat_responses(draw: st.DrawFn) -> Response:
    """What one chat message can say: reasoning, one text, tool calls."""
    blocks: list[Block] = []
    if draw(st.booleans()):
        blocks.append(Thinking(draw(texts)))
    if draw(st.booleans()):
        blocks.append(Text(draw(texts)))
    blocks += draw(st.lists(tool_calls, max_size=4))
    reason = draw(st.sampled_from(["end_turn", "max_tokens", "tool_use", "refusal", "insufficient_system_resource"]))
    return Response(draw(names), draw(names), _with_unique_ids(blocks), reason, draw(usages))


@st.composite
def responses_responses(draw: st.DrawFn) -> Response:
    """What a response of OpenAI's can say: any blocks in any order; that it waits for tools is told by their calls."""
    custom = st.builds(ToolCall, names, names, texts, custom=st.just(True))
    executed = st.builds(ToolCall, names, names, arguments.map(json.dumps), executed=st.just(True))
    blocks: st.SearchStrategy[Block] = st.one_of(anthropic_blocks, custom, executed)
    drawn = tuple(
        dataclasses.replace(block, id=f"call_{place}") if isinstance(block, ToolCall) else block
        for place, block in enumerate(draw(st.lists(blocks, max_size=5)))
    )
    waits = any(isinstance(block, ToolCall) and not block.executed for block in drawn)
    reason = draw(st.sampled_from(["max_tokens", "refusal", "tool_use" if waits else "end_turn"]))
    return Response(draw(names), draw(names), drawn, reason, draw(usages))
