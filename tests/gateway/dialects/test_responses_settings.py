"""What Responses requests ask for beside their content, and Responses requests made for others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.dialects import OPENAI_RESPONSES, responses_dialect
from gateway.dialects.settings import Model, Settings, Shape, ToolChoice
from gateway.errors import BadRequest
from policies.content import Image, Message, Request, Text, Thinking, Tool, ToolCall, ToolResult

Json = dict[str, Any]
SCHEMA = {"type": "object"}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: x"}
PATCH = {"type": "custom", "name": "patch", "format": GRAMMAR}
SPACE = {"type": "namespace", "name": "n", "tools": [PATCH]}
PLAIN, THINKER = Model("theirs"), Model("theirs", 64_000, reasons=True)
ASKED = (Message("user", (Text("q"),)),)


def read(**members: Any) -> Settings:
    body = json.dumps({"model": "m", "input": "q", **members}).encode()
    lenient = responses_dialect(hidden_history=True)
    return lenient.read_settings(lenient.read_request(body))


def made(model: Model = PLAIN, settings: Settings | None = None, **request: Any) -> tuple[Json, tuple[str, ...]]:
    """The members beside model, input and store, and what was left out."""
    answer = OPENAI_RESPONSES.make_request(
        Request("m", **{"messages": ASKED, **request}), settings or Settings(), model
    )
    body = json.loads(answer.body)
    assert (body.pop("model"), body.pop("store")) == ("theirs", False)
    return body, answer.dropped


def members(model: Model = PLAIN, settings: Settings | None = None, **request: Any) -> Json:
    body, _ = made(model, settings, **request)
    return {name: value for name, value in body.items() if name != "input"}


@pytest.mark.parametrize(
    ("asked", "settings"),
    [
        ({}, Settings()),
        ({"temperature": 0.5, "top_p": 1}, Settings(0.5, 1)),
        ({"tool_choice": "required"}, Settings(tool_choice=ToolChoice("required"))),
        ({"tool_choice": {"type": "function", "name": "f"}}, Settings(tool_choice=ToolChoice("tool", "f"))),
        ({"tool_choice": {"type": "function", "name": "f", "namespace": "n"}},
         Settings(tool_choice=ToolChoice("tool", "n__f"))),
        ({"tool_choice": {"type": "web_search"}}, Settings(tool_choice=ToolChoice("tool", "web_search"))),
        ({"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}},
         Settings(tool_choice=ToolChoice("required"), allowed=("f",))),
        ({"tool_choice": {"type": "allowed_tools", "tools": []}}, Settings(tool_choice=ToolChoice("auto"))),
        ({"parallel_tool_calls": False}, Settings(parallel_tool_calls=False)),
        ({"reasoning": {"effort": "xhigh"}}, Settings(effort="xhigh")),
        ({"reasoning": {"effort": "odd"}}, Settings()),
        ({"text": {"format": {"type": "text"}}}, Settings()),
        ({"text": {"format": {"type": "json_object"}}}, Settings(shape=Shape())),
        ({"text": {"format": {"type": "json_schema", "name": "s", "schema": SCHEMA}}},
         Settings(shape=Shape(SCHEMA, "s"))),
        ({"user": "u", "service_tier": "flex"}, Settings(user="u", service_tier="flex")),
        ({"user": "u", "safety_identifier": "s"}, Settings(user="s")),
        ({"tools": [PATCH, SPACE]}, Settings(grammars={"patch": "start: x", "n__patch": "start: x"})),
        ({"include": ["x"], "store": False}, Settings(dropped=("`include`",))),
    ],
)  # fmt: skip
def test_what_a_responses_request_asks_for(asked: Json, settings: Settings) -> None:
    assert read(**asked) == settings


@pytest.mark.parametrize(
    "asked",
    [
        {"background": True},
        {"conversation": "c"},
        {"previous_response_id": "r"},
        {"prompt": {"id": "p"}},
        {"top_logprobs": 2},
        {"tool_choice": 1},
        {"tool_choice": {}},
        {"text": {"format": {"type": "poem"}}},
    ],
)
def test_what_no_other_dialect_can_say_is_refused(asked: Json) -> None:
    with pytest.raises(BadRequest):
        read(**asked)


@pytest.mark.parametrize(
    ("settings", "model", "body", "dropped"),
    [
        (Settings(0.5, 0.9, 3), PLAIN, {"temperature": 0.5, "top_p": 0.9}, ("`top_k`",)),
        (Settings(0.5), THINKER, {"include": ["reasoning.encrypted_content"]}, ("`temperature`",)),
        (Settings(effort="high"), PLAIN, {}, ("thinking",)),
        (Settings(effort="none"), PLAIN, {}, ()),
        (Settings(effort="none"), THINKER,
         {"include": ["reasoning.encrypted_content"], "reasoning": {"effort": "low"}}, ()),
        (Settings(budget=2000), THINKER,
         {"include": ["reasoning.encrypted_content"], "reasoning": {"effort": "low", "summary": "auto"}}, ()),
        (Settings(shape=Shape()), PLAIN, {"text": {"format": {"type": "json_object"}}}, ()),
        (Settings(shape=Shape(SCHEMA)), PLAIN,
         {"text": {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}}}, ()),
        (Settings(user="u" * 65, service_tier="odd"), PLAIN, {}, ()),
        (Settings(user="u", service_tier="standard_only"), PLAIN,
         {"safety_identifier": "u", "service_tier": "default"}, ()),
    ],
)  # fmt: skip
def test_what_a_made_request_asks_for(settings: Settings, model: Model, body: Json, dropped: tuple[str, ...]) -> None:
    got, left_out = made(model, settings)
    got.pop("input")
    assert (got, left_out) == (body, dropped)


def test_stop_sequences_cannot_be_said() -> None:
    with pytest.raises(BadRequest, match="stop"):
        made(settings=Settings(stop=("x",)))


@pytest.mark.parametrize(("asked", "given"), [(5, 16), (900, 900), (99_000, 64_000)])
def test_the_length_of_an_answer_is_kept_within_what_the_model_gives(asked: int, given: int) -> None:
    assert members(THINKER, max_tokens=asked)["max_output_tokens"] == given


def test_tools_are_offered_and_chosen() -> None:
    tools = (Tool("f", "F.", SCHEMA), Tool("g", custom=True))
    settings = Settings(tool_choice=ToolChoice("tool", "g"), parallel_tool_calls=True, grammars={"g": "start: x"})
    assert members(settings=settings, tools=tools) == {
        "tools": [
            {"type": "function", "name": "f", "description": "F.", "strict": False,
             "parameters": {"type": "object", "properties": {}}},
            {"type": "custom", "name": "g", "description": "The input must be in this form:\nstart: x"},
        ],
        "tool_choice": {"type": "custom", "name": "g"},
        "parallel_tool_calls": True,
    }  # fmt: skip
    assert members(settings=Settings(tool_choice=ToolChoice("none")), tools=tools[:1])["tool_choice"] == "none"
    assert members(settings=Settings(tool_choice=ToolChoice("tool", "f")), tools=tools)["tool_choice"] == {
        "type": "function",
        "name": "f",
    }


def test_a_conversation_becomes_items() -> None:
    image = Image("image/png", "AA==")
    messages = (
        *ASKED,
        Message(
            "assistant", (Thinking("t", "sealed"), Text("a"), ToolCall("1", "f"), ToolCall("2", "g", "x", custom=True))
        ),
        Message("user", (ToolResult("1", (Text("r"), Text("s"))), ToolResult("2", (image,)), Text("b"))),
    )
    body, _ = made(messages=messages, system=(Text("One."), Text("Two.")), stream=True)
    assert (body["instructions"], body["stream"]) == ("One.\n\nTwo.", True)
    picture = {"detail": "auto", "type": "input_image", "image_url": "data:image/png;base64,AA=="}
    assert body["input"] == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "q"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "t"}], "encrypted_content": "sealed"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
        {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "2", "name": "g", "input": "x"},
        {"type": "function_call_output", "call_id": "1", "output": "r\ns"},
        {"type": "function_call_output", "call_id": "2", "output": [picture]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "b"}]},
    ]
