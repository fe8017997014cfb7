"""Tools of Responses requests, also those in a namespace: read, and written back where they came from."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
import pytest

from gateway.dialects import OPENAI_RESPONSES
from gateway.dialects.openai_responses import tools
from policies.content import Message, Request, Text, Tool, ToolResult
from tests.gateway.dialects.test_responses_requests import BODY, FILES, PATCH, RAW, READ, read, rewritten


def test_tools_in_a_namespace_go_by_one_name() -> None:
    request = OPENAI_RESPONSES.read_request(RAW)
    assert [(tool.name, tool.executed, tool.custom) for tool in request.tools] == [
        ("read", False, False),
        ("mcp__files__read", False, False),
        ("mcp__files__write", False, False),
        ("apply_patch", False, True),
        ("web_search", True, False),
        ("local_shell", False, False),
    ]
    assert tools.namespaces(request)["mcp__files__write"] == ("mcp__files__", "write")


@pytest.mark.parametrize(
    ("tool", "executed"),
    [
        ({"type": "shell"}, False),
        ({"type": "shell", "environment": {"type": "local"}}, False),
        ({"type": "shell", "environment": {"type": "container_auto"}}, True),
        ({"type": "tool_search", "execution": "client"}, False),
        ({"type": "tool_search"}, True),
        ({"type": "mcp", "server_label": "s"}, True),
    ],
)
def test_where_a_tool_runs_is_told_by_its_type(tool: Any, executed: bool) -> None:
    assert read(tools=[tool]).tools[0].executed is executed


def test_tools_that_stay_go_back_into_their_namespace() -> None:
    kept = rewritten(lambda r: dataclasses.replace(r, tools=(r.tools[0], *r.tools[2:])))
    assert kept["tools"] == [READ, {**FILES, "tools": [FILES["tools"][1]]}, *BODY["tools"][2:]]


def test_changed_and_new_tools_are_written() -> None:
    def change(request: Request) -> Request:
        described = [dataclasses.replace(tool, description="New.") for tool in request.tools[:4]]
        described[1] = dataclasses.replace(described[1], name="mcp__files__look")
        made = [Tool("f", schema={"type": "object"}), Tool("g", "G.", custom=True)]
        return dataclasses.replace(request, tools=(*described, *made))

    changed = rewritten(change)["tools"]
    assert changed[0] == {**READ, "description": "New."}
    assert [tool["name"] for tool in changed[1]["tools"]] == ["mcp__files__look", "write"]
    assert changed[1]["tools"][1]["description"] == "New."
    assert changed[2] == {**PATCH, "description": "New."}
    assert changed[3:] == [
        {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False},
        {"type": "custom", "name": "g", "description": "G."},
    ]


@pytest.mark.parametrize(
    ("choice", "stays"),
    [
        ("required", True),
        ({"type": "function", "name": "read"}, True),
        ({"type": "function", "name": "gone"}, False),
        ({"type": "function", "name": "read", "namespace": "mcp__files__"}, False),
        ({"type": "web_search"}, False),
        ({"type": "custom", "name": "apply_patch"}, True),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "read"}]}, True),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]}, False),
    ],
)
def test_a_choice_of_a_tool_that_is_gone_goes_too(choice: Any, stays: bool) -> None:
    body = orjson.dumps({**BODY, "tool_choice": choice})
    after = rewritten(lambda r: dataclasses.replace(r, tools=(r.tools[0], r.tools[3])), body)
    assert ("tool_choice" in after) is stays


def test_without_tools_none_can_be_required() -> None:
    body = orjson.dumps({**BODY, "tool_choice": "required"})
    after = rewritten(lambda r: dataclasses.replace(r, tools=()), body)
    assert "tool_choice" not in after and "tools" not in after


def test_what_a_patch_did_is_a_result() -> None:
    item = {"type": "apply_patch_call_output", "call_id": "c", "status": "failed", "output": "no such file"}
    request = OPENAI_RESPONSES.read_request(orjson.dumps({"model": "m", "input": [item]}))
    assert request.messages == (Message("tool", (ToolResult("c", (Text("no such file"),)),)),)
