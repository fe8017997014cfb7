from __future__ import annotations

import dataclasses
from typing import Any

import orjson
import pytest

from gateway.dialects import ANTHROPIC
from gateway.errors import BadRequest, NotFound
from policies.content import Image, Message, Opaque, Request, Text, Thinking, Tool, ToolCall, ToolResult

BODY: dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 100,
    "temperature": 1.0,
    "system": [
        {"type": "text", "text": "billing", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "b"},
    ],
    "messages": [
        {"role": "user", "content": "look"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "x"},
                {"type": "text", "text": "ok", "citations": None},
                {"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a"}, "cache_control": None},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": "x"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "content": [
                        {"type": "text", "text": "secret"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
                    ],
                },
                {"type": "tool_result", "tool_use_id": "t2", "content": "plain", "is_error": True},
                {"type": "tool_result", "tool_use_id": "t3"},
                {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
                {"type": "image", "source": {"type": "file", "file_id": "f"}},
                {"type": "document", "source": {"type": "text", "data": "d"}, "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "go on", "cache_control": {"type": "ephemeral"}},
            ],
        },
        {"role": "system", "content": "be brief"},
    ],
    "tools": [
        {"name": "read", "description": "Reads.", "input_schema": {"type": "object"}, "cache_control": {"type": "x"}},
        {"type": "bash_20250124", "name": "bash"},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
        {"type": "mcp_toolset", "mcp_server_name": "m"},
    ],
    "tool_choice": {"type": "tool", "name": "read"},
    "stream": True,
    "unknown": {"a": [1]},
}
RAW = orjson.dumps(BODY)


def read(**changes: Any) -> Request:
    return ANTHROPIC.read_request(orjson.dumps({**BODY, **changes}))


def rewritten(final: Request, model: str = "claude-x") -> Any:
    return orjson.loads(ANTHROPIC.write_request(RAW, ANTHROPIC.read_request(RAW), final, model))


def test_a_request_is_read_whole() -> None:
    request = ANTHROPIC.read_request(RAW)
    assert (request.model, request.max_tokens, request.stream, request.structured) == ("claude-x", 100, True, False)
    assert request.system == (Text("billing"), Text("b"))
    assert request.messages == (
        Message("user", (Text("look"),)),
        Message(
            "assistant",
            (
                Thinking("hm", "c2ln"),
                Thinking(""),
                Text("ok"),
                ToolCall("t1", "read", '{"path":"a"}'),
                ToolCall("s1", "web_search", '{"q":"x"}', executed=True),
            ),
        ),
        Message(
            "user",
            (
                ToolResult("t1", (Text("secret"), Image("image/png", "AA=="))),
                ToolResult("t2", (Text("plain"),), is_error=True),
                ToolResult("t3"),
                Image(url="https://example.org/a.png"),
                Opaque("image"),
                Opaque("document"),
                Text("go on"),
            ),
        ),
        Message("system", (Text("be brief"),)),
    )
    assert [(tool.name, tool.executed) for tool in request.tools] == [
        ("read", False),
        ("bash", False),
        ("web_search", True),
        ("mcp_toolset", True),
    ]
    assert request.source == BODY
    assert request.messages[2].blocks[6].source["cache_control"] == {"type": "ephemeral"}


def test_structured_output_is_seen_in_both_places() -> None:
    assert read(output_format={"type": "json_schema"}).structured
    assert read(output_config={"format": {"type": "json_schema"}}).structured
    assert not read(output_config={"effort": "low"}).structured


def test_count_tokens_needs_no_max_tokens_and_system_may_be_a_string() -> None:
    request = ANTHROPIC.read_request(b'{"model":"m","messages":[],"system":"s"}')
    assert (request.max_tokens, request.system) == (None, (Text("s"),))


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 3}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": ["hi"]}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [1]}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "messages.0.content.0.type"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]}, "messages.0.content.0"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_use", "id": "a"}]}]}, "messages.0.content.0"),
        ({"stream": "yes"}, "stream"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"system": 1}, "system"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"name": 1}]}, "tools.name"),
        ({"thread": "x"}, "thread"),
    ],
)
def test_wrong_types_are_refused_by_name(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**changes)
    assert caught.value.param == param


def test_a_thread_that_goes_on_is_not_found_and_one_that_begins_is() -> None:
    with pytest.raises(NotFound) as caught:
        read(thread={"type": "continue", "previous_message_id": "msg_1"})
    assert caught.value.code == "thread_not_found"
    assert read(thread={"type": "create"}).model == "claude-x"


def test_a_request_that_nobody_changed_is_its_own_bytes() -> None:
    body = orjson.dumps(BODY, option=orjson.OPT_INDENT_2)
    request = ANTHROPIC.read_request(body)
    assert ANTHROPIC.write_request(body, request, request, "claude-x") is body


def test_another_model_changes_the_model_alone() -> None:
    body = orjson.dumps(BODY, option=orjson.OPT_INDENT_2)
    request = ANTHROPIC.read_request(body)
    assert ANTHROPIC.write_request(body, request, request, "other") == body.replace(b'"claude-x"', b'"other"')


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[],"mod\\u0065l":"a","tools":[{"name":"t","model":"a"}]}',
        b'{"messages":[],"tools":[{"name":"t","input_schema":{"model":"a"}}], "model" : "a"}',
        b'{"messages":[{"role":"user","content":"\\"model\\":\\"a\\""}],"model":"\\u0061"}',
    ],
)
def test_only_the_requests_own_model_is_changed(body: bytes) -> None:
    request = ANTHROPIC.read_request(body)
    changed = orjson.loads(ANTHROPIC.write_request(body, request, request, "b"))
    assert changed == {**orjson.loads(body), "model": "b"}


def test_one_changed_text_leaves_all_other_messages_their_bytes() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"a"}, {"role":"user", "content":[1e2, 3]}]}'
    body = body.replace(b"[1e2, 3]", b'[{"type":"x", "n":123456789012345678901234567890, "f":1.0E2}]')
    request = ANTHROPIC.read_request(body)
    final = request.map_text(str.upper)
    written = ANTHROPIC.write_request(body, request, final, "m")
    assert b'{"role":"user","content":"A"}' in written
    assert b'{"role":"user", "content":[{"type":"x", "n":123456789012345678901234567890, "f":1.0E2}]}' in written


def test_long_integers_keep_their_value_in_a_changed_message() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"a","n":123456789012345678901234567890}]}'
    request = ANTHROPIC.read_request(body)
    written = ANTHROPIC.write_request(body, request, request.map_text(str.upper), "m")
    assert b'"content":"A"' in written and b'"n":123456789012345678901234567890' in written


def test_changed_texts_keep_the_fields_of_their_blocks() -> None:
    final = ANTHROPIC.read_request(RAW).map_text(str.upper)
    written = rewritten(final)
    expected = orjson.loads(RAW)
    expected["messages"][0]["content"] = "LOOK"
    blocks = expected["messages"][2]["content"]
    blocks[0]["content"][0]["text"] = "SECRET"
    blocks[1]["content"] = "PLAIN"
    blocks[6]["text"] = "GO ON"
    assert written == expected
    assert list(written) == list(BODY)


def test_system_tools_and_limit_may_change() -> None:
    request = ANTHROPIC.read_request(RAW)
    added = Tool("now", "Tells the time.", {"type": "object"})
    final = dataclasses.replace(
        request, system=(*request.system, Text("c")), tools=(*request.tools[1:2], added), max_tokens=5
    )
    written = rewritten(final)
    assert written["system"] == [*BODY["system"], {"type": "text", "text": "c"}]
    assert written["tools"] == [
        BODY["tools"][1],
        {"name": "now", "input_schema": {"type": "object"}, "description": "Tells the time."},
    ]
    assert "tool_choice" not in written
    assert written["max_tokens"] == 5


def test_a_tool_that_stays_keeps_the_choice_of_it_and_an_edited_one_its_fields() -> None:
    request = ANTHROPIC.read_request(RAW)
    final = dataclasses.replace(request, tools=(dataclasses.replace(request.tools[0], description="New."),))
    written = rewritten(final)
    assert written["tools"] == [{**BODY["tools"][0], "description": "New."}]
    assert written["tool_choice"] == BODY["tool_choice"]
    assert "system" not in rewritten(dataclasses.replace(request, system=()))


def test_messages_and_blocks_of_ours_are_written_whole() -> None:
    request = ANTHROPIC.read_request(RAW)
    ours = Message(
        "user",
        (
            ToolResult("t9", (Text("r"),), is_error=True),
            ToolResult("t8"),
            Image("image/png", "AA=="),
            Image(url="https://example.org"),
            ToolCall("t7", "f", '{"a":1}'),
            Thinking("t", "s"),
        ),
    )
    written = rewritten(dataclasses.replace(request, messages=(*request.messages, ours)))
    assert written["messages"][:4] == BODY["messages"]
    assert written["messages"][4] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "t9", "is_error": True, "content": "r"},
            {"type": "tool_result", "tool_use_id": "t8"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
            {"type": "image", "source": {"type": "url", "url": "https://example.org"}},
            {"type": "tool_use", "id": "t7", "name": "f", "input": {"a": 1}},
            {"type": "thinking", "thinking": "t", "signature": "s"},
        ],
    }


def test_a_request_without_a_choice_of_tools_gets_none() -> None:
    body = b'{"model":"m","messages":[],"tools":[{"name":"a"}]}'
    request = ANTHROPIC.read_request(body)
    final = dataclasses.replace(request, tools=())
    assert ANTHROPIC.write_request(body, request, final, "m") == b'{"model":"m","messages":[],"tools":[]}'


def test_a_block_with_a_foreign_source_is_written_anew() -> None:
    request = ANTHROPIC.read_request(RAW)
    foreign = Message("user", (Text("x", source={"content": "x"}), Text("y", source={"type": "text"})))
    written = rewritten(dataclasses.replace(request, messages=(foreign,)))
    assert written["messages"][0]["content"] == [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]
