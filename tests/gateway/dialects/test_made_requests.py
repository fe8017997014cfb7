"""Requests there and back, and whatever a client may send: the other dialect's request, or a refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.dialects import ANTHROPIC, OPENAI_CHAT, Dialect
from gateway.dialects.portable import portable
from gateway.dialects.settings import Model, Settings
from gateway.errors import BadRequest
from policies.content import Image, Message, Request, RequestBlock, Text, Tool, ToolCall, ToolResult
from tests.gateway.conforming import CLIENTS
from tests.gateway.dialects.contents import arguments, names, texts

SPOKEN = [client.dialect for client in CLIENTS]
every_dialect = pytest.mark.parametrize("dialect", SPOKEN, ids=lambda dialect: dialect.name)
_patiently = settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))

_said = texts.filter(lambda text: bool(text.strip()))
_images = st.builds(Image, st.just("image/png"), st.just("QUJD"))
_ids = texts


@st.composite
def conversations(draw: st.DrawFn) -> Request:
    """Turns of a user and an assistant, with tool calls and the results of all of them."""
    messages: list[Message] = []
    results: list[RequestBlock] = []
    for turn in range(draw(st.integers(1, 4))):
        asked = draw(st.lists(st.one_of(st.builds(Text, _said), _images), min_size=0 if results else 1, max_size=3))
        messages.append(Message("user", (*results, *asked)))
        answer = draw(st.lists(st.builds(Text, _said), max_size=2))
        calls = [
            ToolCall(f"{turn}.{place} {call_id}", name, json.dumps(given_))
            for place, (call_id, name, given_) in enumerate(
                draw(st.lists(st.tuples(_ids, names, arguments), max_size=2))
            )
        ]
        if not answer and not calls:
            return Request("m", tuple(messages))
        messages.append(Message("assistant", (*answer, *calls)))
        results = [ToolResult(call.id, (Text(draw(_said)),)) for call in calls]
        if not results:
            break
    return Request("m", tuple(messages), system=(Text(draw(_said)),), tools=(Tool(draw(names), draw(texts)),))


def said(request: Request) -> list[Any]:
    """What a conversation says, whatever the words are divided into."""
    turns: list[Any] = [("system", "\n\n".join(block.text for block in request.system if isinstance(block, Text)))]
    for message in request.messages:
        text = "\n\n".join(block.text for block in message.blocks if isinstance(block, Text))
        images = [block for block in message.blocks if isinstance(block, Image)]
        calls = [(b.id, b.name, b.arguments) for b in message.blocks if isinstance(b, ToolCall)]
        results = [(b.tool_call_id, b.blocks, b.is_error) for b in message.blocks if isinstance(b, ToolResult)]
        turns.append((message.role, text, images, calls, results))
    return turns


@every_dialect
@given(conversations(), st.booleans())
@_patiently
def test_there_and_back_a_conversation_says_the_same(dialect: Dialect, request_: Request, stream: bool) -> None:
    asked = Request("m", request_.messages, request_.system, request_.tools, stream=stream, max_tokens=77)
    normal, wanted, _ = portable(asked, Settings(), dialect, "p")
    made = dialect.make_request(normal, wanted, Model("theirs"))
    back = dialect.read_request(made.body)
    assert (back.model, back.stream, back.max_tokens) == ("theirs", stream, 77)
    assert [(tool.name, tool.description) for tool in back.tools] == [(t.name, t.description) for t in normal.tools]
    # Towards a dialect that takes any id, each one is again what it was.
    again, _, _ = portable(back, Settings(), OPENAI_CHAT, "p")
    expected, _, _ = portable(asked, Settings(), OPENAI_CHAT, "p")
    there, here = said(again), said(expected)
    if expected.messages[-1].role == "assistant" and dialect is ANTHROPIC:
        here.append(("user", "Continue.", [], [], []))
    assert there == here


_scalars = st.none() | st.booleans() | st.integers(-2, 9) | st.floats(0, 2) | st.sampled_from(
    ["", "auto", "none", "required", "function", "custom", "text", "user", "assistant", "tool", "high", "json_schema"]
)  # fmt: skip
_keys = st.sampled_from(
    ["type", "name", "text", "content", "role", "id", "function", "custom", "input", "input_schema", "parameters",
     "tool_calls", "tool_use_id", "tool_call_id", "schema", "json_schema", "format", "grammar", "definition", "tools",
     "allowed_tools", "mode", "effort", "budget_tokens", "source", "data", "url", "image_url", "arguments"]
)  # fmt: skip
_anything = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4), max_leaves=12
)
_members = st.sampled_from(
    ["system", "tools", "tool_choice", "thinking", "output_config", "output_format", "metadata", "service_tier",
     "stop", "stop_sequences", "temperature", "top_p", "top_k", "response_format", "reasoning_effort", "modalities",
     "n", "user", "parallel_tool_calls", "functions", "max_tokens", "max_completion_tokens", "mcp_servers", "logprobs"]
)  # fmt: skip
_QUESTION = {"role": "user", "content": "q"}


@every_dialect
@given(st.dictionaries(_members, _anything, max_size=4), st.lists(_anything, max_size=2), st.booleans())
@_patiently
def test_whatever_a_client_sends_is_translated_or_refused(
    dialect: Dialect, members: dict[str, Any], more: list[Any], reasons: bool
) -> None:
    messages = [_QUESTION, *more, _QUESTION]
    body = json.dumps({"model": "m", "max_tokens": 9, **members, "messages": messages, "input": messages}).encode()
    for other in SPOKEN:
        try:
            request = dialect.read_request(body)
            normal, wanted, _ = portable(request, dialect.read_settings(request), other, "p")
            made = other.make_request(normal, wanted, Model("theirs", 8192, reasons, adaptive=reasons))
        except BadRequest:
            continue
        assert other.read_request(made.body).model == "theirs"
