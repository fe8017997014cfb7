"""What requests ask for beside their content: read from one dialect, said in another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.dialects import ANTHROPIC, OPENAI_CHAT, Dialect
from gateway.dialects.portable import portable
from gateway.dialects.settings import Model, Settings, Shape, ToolChoice
from gateway.errors import BadRequest
from policies.content import Message, Request, Text, Thinking, ToolCall, ToolResult

SCHEMA = {"type": "object"}
TOOL = {"name": "get", "input_schema": SCHEMA}
FUNCTION = {"type": "function", "function": {"name": "get", "parameters": SCHEMA}}
PATCH = {"name": "patch", "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: x"}}}
PLAIN, THINKER = Model("theirs"), Model("theirs", 64_000, reasons=True)
ADAPTIVE = Model("theirs", 128_000, reasons=True, adaptive=True)
Json = dict[str, Any]


def read(dialect: Dialect, **members: Any) -> Settings:
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "q"}], **members}
    return dialect.read_settings(dialect.read_request(json.dumps(body).encode()))


def made(dialect: Dialect, model: Model = PLAIN, tools: bool = False, **more: Any) -> tuple[Json, tuple[str, ...]]:
    """The members that a request gets beside model, messages and max_tokens, and what was left out."""
    names = Settings.__dataclass_fields__.keys() & more.keys()
    settings = Settings(**{name: more.pop(name) for name in names})
    offered = OPENAI_CHAT.read_request(json.dumps({"model": "m", "messages": [], "tools": [FUNCTION]}).encode()).tools
    asked = {
        "max_tokens": 9000,
        "messages": (Message("user", (Text("q"),)),),
        "tools": offered if tools else (),
        **more,
    }
    normal, settings, _ = portable(Request("m", **asked), settings, dialect, "p")
    answer = dialect.make_request(normal, settings, model)
    body = json.loads(answer.body)
    return {name: value for name, value in body.items() if name not in ("model", "messages", "tools")}, answer.dropped


@pytest.mark.parametrize(
    ("members", "settings"),
    [
        ({}, Settings()),
        ({"temperature": 0.5, "top_p": 1, "top_k": 3}, Settings(0.5, 1, 3)),
        ({"stop_sequences": ["a", "b"]}, Settings(stop=("a", "b"))),
        ({"tool_choice": {"type": "auto"}}, Settings(tool_choice=ToolChoice("auto"))),
        ({"tool_choice": {"type": "none"}}, Settings(tool_choice=ToolChoice("none"))),
        ({"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
         Settings(tool_choice=ToolChoice("required"), parallel_tool_calls=False)),
        ({"tool_choice": {"type": "tool", "name": "get"}}, Settings(tool_choice=ToolChoice("tool", "get"))),
        ({"thinking": {"type": "disabled"}}, Settings(effort="none")),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, Settings(budget=2000)),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, Settings(effort="max")),
        ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, Settings(shape=Shape(SCHEMA))),
        ({"output_format": {"type": "json_schema", "schema": SCHEMA}}, Settings(shape=Shape(SCHEMA))),
        ({"metadata": {"user_id": "u"}, "service_tier": "standard_only"},
         Settings(user="u", service_tier="standard_only")),
        ({"context_management": {}, "x": 1}, Settings(dropped=("`context_management`", "`x`"))),
    ],
)  # fmt: skip
def test_what_an_anthropic_request_asks_for(members: Json, settings: Settings) -> None:
    assert read(ANTHROPIC, **members) == settings


@pytest.mark.parametrize(
    ("members", "settings"),
    [
        ({}, Settings()),
        ({"temperature": 2, "top_p": 0.1}, Settings(2, 0.1)),
        ({"stop": "a"}, Settings(stop=("a",))),
        ({"stop": ["a", "b"]}, Settings(stop=("a", "b"))),
        ({"tool_choice": "required", "parallel_tool_calls": True},
         Settings(tool_choice=ToolChoice("required"), parallel_tool_calls=True)),
        ({"tool_choice": {"type": "function", "function": {"name": "get"}}},
         Settings(tool_choice=ToolChoice("tool", "get"))),
        ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [FUNCTION]}}},
         Settings(tool_choice=ToolChoice("required"), allowed=("get",))),
        ({"tools": [{"type": "custom", "custom": PATCH}]}, Settings(grammars={"patch": "start: x"})),
        ({"reasoning_effort": "xhigh"}, Settings(effort="xhigh")),
        ({"reasoning_effort": "unheard_of"}, Settings()),
        ({"response_format": {"type": "text"}}, Settings()),
        ({"response_format": {"type": "json_object"}}, Settings(shape=Shape())),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}},
         Settings(shape=Shape(SCHEMA, "n"))),
        ({"user": "u", "safety_identifier": "s", "service_tier": "flex"}, Settings(user="s", service_tier="flex")),
        ({"seed": 1, "logit_bias": {"1": 2}, "store": False}, Settings(dropped=("`seed`", "`logit_bias`"))),
    ],
)  # fmt: skip
def test_what_a_chat_request_asks_for(members: Json, settings: Settings) -> None:
    assert read(OPENAI_CHAT, **members) == settings


@pytest.mark.parametrize(
    ("dialect", "members", "param"),
    [
        (ANTHROPIC, {"mcp_servers": [{}]}, "mcp_servers"),
        (ANTHROPIC, {"container": "c"}, "container"),
        (ANTHROPIC, {"messages": [{"role": "assistant", "content": "I begin"}]}, "messages"),
        (ANTHROPIC, {"tool_choice": {"type": "other"}}, "tool_choice.type"),
        (ANTHROPIC, {"output_format": {"type": "other"}}, "output_config.format.type"),
        (ANTHROPIC, {"temperature": "hot"}, "temperature"),
        (OPENAI_CHAT, {"functions": [{"name": "f"}]}, "functions"),
        (OPENAI_CHAT, {"function_call": "auto"}, "function_call"),
        (OPENAI_CHAT, {"messages": [{"role": "assistant", "function_call": {"name": "f"}}]}, "messages"),
        (OPENAI_CHAT, {"audio": {"voice": "v"}}, "audio"),
        (OPENAI_CHAT, {"modalities": ["text", "audio"]}, "modalities"),
        (OPENAI_CHAT, {"logprobs": True}, "logprobs"),
        (OPENAI_CHAT, {"web_search_options": {"a": 1}}, "web_search_options"),
        (OPENAI_CHAT, {"tool_choice": 1}, "tool_choice"),
        (OPENAI_CHAT, {"response_format": {"type": "other"}}, "response_format.type"),
        (OPENAI_CHAT, {"stop": [1]}, "stop"),
    ],
)
def test_what_no_other_dialect_can_say_is_refused_by_its_name(dialect: Dialect, members: Json, param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(dialect, **members)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("model", "asked", "members", "dropped"),
    [
        (PLAIN, {}, {"max_tokens": 9000}, ()),
        (PLAIN, {"max_tokens": None}, {}, ()),
        (THINKER, {"max_tokens": 99_000}, {"max_completion_tokens": 64_000}, ("`max_tokens` above 64000",)),
        (PLAIN, {"temperature": 1, "top_k": 3, "stop": ("a",)},
         {"max_tokens": 9000, "temperature": 1, "stop": ["a"]}, ("`top_k`",)),
        (THINKER, {"temperature": 1}, {"max_completion_tokens": 9000}, ("`temperature`",)),
        (THINKER, {"effort": "max"}, {"max_completion_tokens": 9000, "reasoning_effort": "high"}, ()),
        (THINKER, {"effort": "none"}, {"max_completion_tokens": 9000, "reasoning_effort": "low"}, ()),
        (THINKER, {"budget": 1024}, {"max_completion_tokens": 9000, "reasoning_effort": "low"}, ()),
        (THINKER, {"budget": 9000}, {"max_completion_tokens": 9000, "reasoning_effort": "medium"}, ()),
        (THINKER, {"budget": 31_999}, {"max_completion_tokens": 9000, "reasoning_effort": "high"}, ()),
        (PLAIN, {"budget": 9000}, {"max_tokens": 9000}, ("thinking",)),
        (PLAIN, {"effort": "none"}, {"max_tokens": 9000}, ()),
        (PLAIN, {"shape": Shape()}, {"max_tokens": 9000, "response_format": {"type": "json_object"}}, ()),
        (PLAIN, {"user": "u" * 64, "service_tier": "standard_only"},
         {"max_tokens": 9000, "user": "u" * 64, "service_tier": "default"}, ()),
        (PLAIN, {"user": "u" * 65, "service_tier": "auto"}, {"max_tokens": 9000}, ()),
        (PLAIN, {"tools": True, "tool_choice": ToolChoice("tool", "get"), "parallel_tool_calls": False},
         {"max_tokens": 9000, "parallel_tool_calls": False,
          "tool_choice": {"type": "function", "function": {"name": "get"}}}, ()),
        (PLAIN, {"tool_choice": ToolChoice("none"), "parallel_tool_calls": False}, {"max_tokens": 9000}, ()),
        (PLAIN, {"stream": True, "max_tokens": None}, {"stream": True, "stream_options": {"include_usage": True}}, ()),
    ],
)  # fmt: skip
def test_what_a_chat_request_is_made_of(model: Model, asked: Json, members: Json, dropped: tuple[str, ...]) -> None:
    assert made(OPENAI_CHAT, model, **asked) == (members, dropped)


def test_more_stops_than_a_chat_model_takes_are_refused() -> None:
    with pytest.raises(BadRequest, match="at most 4"):
        made(OPENAI_CHAT, stop=("a", "b", "c", "d", "e"))


@pytest.mark.parametrize(
    ("model", "asked", "members", "dropped"),
    [
        (PLAIN, {"max_tokens": None}, {"max_tokens": 8192}, ()),
        (ADAPTIVE, {"max_tokens": None}, {"max_tokens": 32_000}, ()),
        (THINKER, {"max_tokens": 99_000}, {"max_tokens": 64_000}, ("`max_tokens` above 64000",)),
        (PLAIN, {"temperature": 2, "top_k": 3}, {"max_tokens": 9000, "temperature": 1, "top_k": 3}, ()),
        (PLAIN, {"temperature": 0, "top_p": 0.5}, {"max_tokens": 9000, "temperature": 0}, ("`top_p`",)),
        (ADAPTIVE, {"temperature": 0}, {"max_tokens": 9000}, ("`temperature`",)),
        (PLAIN, {"stop": ("a", " ")}, {"max_tokens": 9000, "stop_sequences": ["a"]}, ()),
        (THINKER, {"effort": "low", "temperature": 0},
         {"max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 2048}}, ("`temperature`",)),
        (THINKER, {"effort": "high"},
         {"max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 7976}}, ()),
        (ADAPTIVE, {"effort": "minimal"},
         {"max_tokens": 9000, "thinking": {"type": "adaptive", "display": "summarized"},
          "output_config": {"effort": "low"}}, ()),
        (ADAPTIVE, {"budget": 5000},
         {"max_tokens": 9000, "thinking": {"type": "adaptive", "display": "summarized"}}, ()),
        (THINKER, {"effort": "none"}, {"max_tokens": 9000}, ()),
        (THINKER, {"effort": "high", "max_tokens": 1500}, {"max_tokens": 1500}, ("thinking",)),
        (Model("m", reasons=False), {"effort": "high"}, {"max_tokens": 9000}, ("thinking",)),
        (PLAIN, {"shape": Shape()},
         {"max_tokens": 9000,
          "system": [{"type": "text", "text": "Answer with one JSON object and nothing else."}]}, ()),
        (PLAIN, {"shape": Shape(SCHEMA)},
         {"max_tokens": 9000, "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, ()),
        (PLAIN, {"user": "u", "service_tier": "default"},
         {"max_tokens": 9000, "metadata": {"user_id": "u"}, "service_tier": "standard_only"}, ()),
        (PLAIN, {"tools": True, "tool_choice": ToolChoice("none"), "parallel_tool_calls": False},
         {"max_tokens": 9000, "tool_choice": {"type": "none"}}, ()),
        (PLAIN, {"tools": True, "parallel_tool_calls": False},
         {"max_tokens": 9000, "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, ()),
        (THINKER, {"tools": True, "tool_choice": ToolChoice("required"), "effort": "high"},
         {"max_tokens": 9000, "tool_choice": {"type": "any"}}, ("thinking",)),
        (PLAIN, {"stream": True}, {"max_tokens": 9000, "stream": True}, ()),
    ],
)  # fmt: skip
def test_what_an_anthropic_request_is_made_of(
    model: Model, asked: Json, members: Json, dropped: tuple[str, ...]
) -> None:
    assert made(ANTHROPIC, model, **asked) == (members, dropped)


@pytest.mark.parametrize(("signature", "thinks"), [("luthien:p:sig", True), ("sig", False)])
def test_a_turn_that_began_without_signed_thinking_goes_on_without(signature: str, thinks: bool) -> None:
    messages = (
        Message("user", (Text("q"),)),
        Message("assistant", (Thinking("hm", signature), ToolCall("c", "get", "{}"))),
        Message("user", (ToolResult("c"),)),
    )
    members, dropped = made(ANTHROPIC, THINKER, messages=messages, effort="low")
    assert ("thinking" in members) == thinks
    assert ("thinking" in dropped) != thinks


def test_who_has_tools_has_the_conversation_cached() -> None:
    request = Request("m", (Message("user", (Text("q"),)),), (Text("s"),))
    tools = OPENAI_CHAT.read_request(json.dumps({"model": "m", "messages": [], "tools": [FUNCTION]}).encode()).tools
    for offered, marked in ((tools, True), ((), False)):
        asked = Request("m", request.messages, request.system, offered)
        normal, settings, _ = portable(asked, Settings(), ANTHROPIC, "p")
        body = json.loads(ANTHROPIC.make_request(normal, settings, PLAIN).body)
        assert ("cache_control" in body["system"][-1]) == marked
        assert ("cache_control" in body["messages"][-1]["content"][-1]) == marked


def test_images_of_tool_results_follow_them_in_a_message_of_the_users() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}
    result = {"type": "tool_result", "tool_use_id": "c", "is_error": True, "content": [image]}
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [result]}]}
    normal, settings, _ = portable(ANTHROPIC.read_request(json.dumps(body).encode()), Settings(), OPENAI_CHAT, "p")
    told, shown = json.loads(OPENAI_CHAT.make_request(normal, settings, PLAIN).body)["messages"]
    assert told == {"role": "tool", "tool_call_id": "c", "content": "Error: (The image follows.)"}
    assert [part["type"] for part in shown["content"]] == ["text", "image_url"]


def test_thinking_goes_back_within_a_turn_and_not_later() -> None:
    thought = Thinking("hm", "luthien:p:")
    turn = (Message("assistant", (thought, ToolCall("c", "get", "{}"))), Message("user", (ToolResult("c"),)))
    asked = (Message("user", (Text("q"),)), *turn)
    for messages, told in (
        (asked, "hm"),
        ((*asked, Message("assistant", (Text("a"),)), Message("user", (Text("b"),))), None),
    ):
        normal, settings, _ = portable(Request("m", messages), Settings(), OPENAI_CHAT, "p")
        said = json.loads(OPENAI_CHAT.make_request(normal, settings, PLAIN).body)["messages"]
        assert said[1].get("reasoning_content") == told
