from __future__ import annotations

import dataclasses
from typing import Any

import orjson
import pytest

from gateway.dialects import OPENAI_CHAT
from gateway.errors import BadRequest
from policies.content import Image, Message, Opaque, Request, Text, Thinking, Tool, ToolCall, ToolResult

CALL = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"path": "a"}'}, "extra": 1}
CUSTOM = {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": "x"}}
BODY: dict[str, Any] = {
    "model": "gpt-x",
    "messages": [
        {"role": "developer", "content": "be brief"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            ],
            "name": "ann",
        },
        {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [CALL, CUSTOM]},
        {"role": "tool", "tool_call_id": "c1", "content": "secret"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "done"}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}], "refusal": None},
        {"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "one"},
    ],
    "tools": [
        {"type": "function", "function": {"name": "read", "description": "Reads.", "parameters": {"type": "object"}}},
        {"type": "custom", "custom": {"name": "patch"}},
        {"type": "web_search"},
    ],
    "functions": [{"name": "f", "parameters": {}}],
    "tool_choice": {"type": "function", "function": {"name": "read"}},
    "parallel_tool_calls": True,
    "max_completion_tokens": 50,
    "n": 2,
}
RAW = orjson.dumps(BODY)


def read(**changes: Any) -> Request:
    return OPENAI_CHAT.read_request(orjson.dumps({**BODY, **changes}))


def rewritten(final: Request, model: str = "gpt-x") -> Any:
    return orjson.loads(OPENAI_CHAT.write_request(RAW, OPENAI_CHAT.read_request(RAW), final, model))


def test_a_request_is_read_whole() -> None:
    request = OPENAI_CHAT.read_request(RAW)
    assert (request.model, request.max_tokens, request.choices, request.stream) == ("gpt-x", 50, 2, False)
    assert request.messages == (
        Message("system", (Text("be brief"),)),
        Message(
            "user",
            (Text("look"), Image("image/png", "AA=="), Image(url="https://example.org/a.png"), Opaque("input_audio")),
        ),
        Message(
            "assistant",
            (Thinking("hm"), ToolCall("c1", "read", '{"path": "a"}'), ToolCall("c2", "patch", "x", custom=True)),
        ),
        Message("tool", (ToolResult("c1", (Text("secret"),)),)),
        Message("tool", (ToolResult("c2", (Text("done"),)),)),
        Message("assistant", (Text("no"),)),
        Message("assistant", (ToolCall("", "f", "{}"),)),
        Message("tool", (ToolResult("f", (Text("one"),)),)),
    )
    assert [(tool.name, tool.executed) for tool in request.tools] == [
        ("read", False),
        ("patch", False),
        ("web_search", True),
        ("f", False),
    ]


def test_structured_output_is_anything_but_text() -> None:
    assert read(response_format={"type": "json_object"}).structured
    assert read(response_format={"type": "json_schema", "json_schema": {}}).structured
    assert not read(response_format={"type": "text"}).structured
    assert read(max_completion_tokens=None, max_tokens=7).max_tokens == 7


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": None}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "robot", "content": ""}]}, "messages[0].role"),
        ({"messages": [{"role": {}, "content": ""}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": 1}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "assistant", "tool_calls": 1}]}, "messages[0].tool_calls"),
        ({"stream": 1}, "stream"),
        ({"n": 0}, "n"),
        ({"n": "2"}, "n"),
        ({"tools": [1]}, "tools"),
        ({"response_format": "json"}, "response_format"),
    ],
)
def test_wrong_types_are_refused_by_name(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**changes)
    assert caught.value.param == param


def test_a_request_that_nobody_changed_is_its_own_bytes() -> None:
    request = OPENAI_CHAT.read_request(RAW)
    assert OPENAI_CHAT.write_request(RAW, request, request, "gpt-x") is RAW
    assert OPENAI_CHAT.write_request(RAW, request, request, "b") == RAW.replace(b'"gpt-x"', b'"b"')


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (b"", b',"stream_options":{"include_usage":true}'),
        (b',"stream_options":null', b',"stream_options":{"include_usage":true}'),
        (b',"stream_options":{"include_usage":false}', b',"stream_options":{"include_usage":true}'),
        (b',"stream_options":{"x":1}', b',"stream_options":{"x":1,"include_usage":true}'),
        (b',"stream_options":{"include_usage": true}', b',"stream_options":{"include_usage": true}'),
    ],
)
def test_usage_is_asked_for_on_every_stream(options: bytes, expected: bytes) -> None:
    body = b'{"model":"m","messages":[],"stream":true' + options + b"}"
    request = OPENAI_CHAT.read_request(body)
    written = OPENAI_CHAT.write_request(body, request, request, "m")
    assert written == b'{"model":"m","messages":[],"stream":true' + expected + b"}"
    renamed = orjson.loads(OPENAI_CHAT.write_request(body, request, request, "n"))
    assert renamed == {**orjson.loads(written), "model": "n"}


def test_changed_texts_keep_the_fields_of_their_messages() -> None:
    final = OPENAI_CHAT.read_request(RAW).map_text(str.upper, roles=("system", "user", "assistant", "tool"))
    expected = orjson.loads(RAW)
    expected["messages"][0]["content"] = "BE BRIEF"
    expected["messages"][1]["content"][0]["text"] = "LOOK"
    expected["messages"][3]["content"] = "SECRET"
    expected["messages"][4]["content"][0]["text"] = "DONE"
    expected["messages"][5]["content"][0]["refusal"] = "NO"
    expected["messages"][7]["content"] = "ONE"
    assert rewritten(final) == expected


def test_changed_calls_and_thoughts_go_back_to_their_fields() -> None:
    request = OPENAI_CHAT.read_request(RAW)
    messages = list(request.messages)
    thinking, call, custom = messages[2].blocks
    assert isinstance(call, ToolCall) and isinstance(custom, ToolCall)
    messages[2] = dataclasses.replace(
        messages[2], blocks=(thinking, call.with_arguments({"path": "b"}), custom.with_arguments({"input": "y"}))
    )
    (function,) = messages[6].blocks
    assert isinstance(function, ToolCall)
    messages[6] = dataclasses.replace(messages[6], blocks=(function.with_arguments({"a": 1}),))
    written = rewritten(dataclasses.replace(request, messages=tuple(messages)))["messages"]
    assert written[2] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {**CALL, "function": {"name": "read", "arguments": '{"path":"b"}'}},
            {**CUSTOM, "custom": {"name": "patch", "input": "y"}},
        ],
        "reasoning_content": "hm",
    }
    assert written[6]["function_call"] == {"name": "f", "arguments": '{"a":1}'}


def test_messages_of_ours_are_written_whole_and_system_text_stands_behind_the_clients() -> None:
    request = OPENAI_CHAT.read_request(RAW)
    ours = (
        Message("user", (Text("a"), Image("image/png", "AA=="), Opaque("card"))),
        Message("assistant", (Thinking("t"), ToolCall("c9", "f", "{}"))),
        Message("tool", (ToolResult("c9"),)),
    )
    final = dataclasses.replace(request, system=(Text("added"),), messages=(*request.messages, *ours))
    written = rewritten(final)["messages"]
    assert written[:2] == [BODY["messages"][0], {"role": "system", "content": "added"}]
    assert written[2:9] == BODY["messages"][1:]
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    call = {"id": "c9", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert written[9:] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, image, {"type": "card"}]},
        {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "t"},
        {"role": "tool", "tool_call_id": "c9", "content": ""},
    ]


def test_tools_that_are_gone_take_the_choices_of_them_along() -> None:
    request = OPENAI_CHAT.read_request(RAW)
    written = rewritten(dataclasses.replace(request, tools=()))
    assert not {"tools", "functions", "tool_choice", "parallel_tool_calls"} & set(written)
    kept = rewritten(dataclasses.replace(request, tools=request.tools[:1], max_tokens=9))
    assert (kept["tools"], kept["tool_choice"]) == (BODY["tools"][:1], BODY["tool_choice"])
    assert "functions" not in kept and kept["max_completion_tokens"] == 9


def test_changed_and_new_tools_are_written() -> None:
    request = OPENAI_CHAT.read_request(RAW)
    changed = tuple(dataclasses.replace(tool, description="New.") for tool in (*request.tools[:2], request.tools[3]))
    written = rewritten(dataclasses.replace(request, tools=(*changed, Tool("now"))))
    assert written["tools"] == [
        {
            "type": "function",
            "function": {"name": "read", "description": "New.", "parameters": {"type": "object"}},
        },
        {"type": "custom", "custom": {"name": "patch", "description": "New."}},
        {"type": "function", "function": {"name": "now", "parameters": {}}},
    ]
    assert written["functions"] == [{"name": "f", "parameters": {}, "description": "New."}]


def test_auto_choices_stay_with_the_tools() -> None:
    body = orjson.dumps({**BODY, "tool_choice": "auto", "function_call": {"name": "f"}})
    request = OPENAI_CHAT.read_request(body)
    final = dataclasses.replace(request, tools=request.tools[:1])
    written = orjson.loads(OPENAI_CHAT.write_request(body, request, final, "gpt-x"))
    assert written["tool_choice"] == "auto" and "function_call" not in written


def test_a_text_in_a_part_of_an_unknown_type_is_a_text() -> None:
    body = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": [{"type": "note", "text": "Hello"}]}]})
    assert OPENAI_CHAT.read_request(body).messages[0].blocks == (Text("Hello"),)


def test_thoughts_that_are_said_in_two_ways_are_refused() -> None:
    said = {"role": "assistant", "content": "x", "reasoning": "judged", "reasoning_content": "unseen"}
    with pytest.raises(BadRequest):
        OPENAI_CHAT.read_request(orjson.dumps({"model": "m", "messages": [said]}))
