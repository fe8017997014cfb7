"""Responses requests: read into neutral content, written back with nothing changed that nobody changed."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
import pytest

from gateway.dialects import OPENAI_RESPONSES, responses_dialect
from gateway.errors import BadRequest
from policies.content import Image, Message, Opaque, Request, Text, Thinking, ToolCall, ToolResult

READ = {"type": "function", "name": "read", "description": "Reads.", "parameters": {"type": "object"}}
FILES = {
    "type": "namespace",
    "name": "mcp__files__",
    "description": "Files.",
    "tools": [READ, {**READ, "name": "write"}],
}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Patches.", "format": {"type": "text"}}
BODY: dict[str, Any] = {
    "model": "gpt-x",
    "instructions": "Be kind.",
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Rules."}]},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"},
                {"type": "input_file", "file_id": "file_1"},
            ],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "E",
        },
        {"type": "function_call", "call_id": "c1", "name": "read", "namespace": "mcp__files__", "arguments": '{"p":1}'},
        {"type": "custom_tool_call", "call_id": "c2", "name": "apply_patch", "input": "*** Begin"},
        {"type": "local_shell_call", "id": "l", "call_id": "c3", "action": {"type": "exec", "command": ["ls"]}},
        {"type": "function_call_output", "call_id": "c1", "output": "text"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "ok"}]},
        {"type": "shell_call_output", "call_id": "c3", "output": [{"stdout": "x"}]},
        {"type": "mcp_approval_response", "approval_request_id": "a", "approve": True},
        {"type": "compaction", "encrypted_content": "E"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]},
        {"role": "user", "content": "Go on"},
    ],
    "tools": [READ, FILES, PATCH, {"type": "web_search"}, {"type": "local_shell"}],
    "tool_choice": "auto",
    "max_output_tokens": 100,
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}},
    "stream": True,
    "store": False,
    "client_metadata": {"Output": "free"},
}
RAW = orjson.dumps(BODY).replace(b'"stream":true', b'"stream" : true')


def read(**changes: Any) -> Request:
    return OPENAI_RESPONSES.read_request(orjson.dumps({**BODY, **changes}))


def written(final: Request, model: str = "gpt-x", body: bytes = RAW) -> Any:
    return orjson.loads(OPENAI_RESPONSES.write_request(body, OPENAI_RESPONSES.read_request(body), final, model))


def rewritten(change: Any, body: bytes = RAW) -> Any:
    """What is written where `change` is done to the request that `body` is."""
    original = OPENAI_RESPONSES.read_request(body)
    return orjson.loads(OPENAI_RESPONSES.write_request(body, original, change(original), "gpt-x"))


def test_every_item_is_a_message_where_it_stands() -> None:
    request = OPENAI_RESPONSES.read_request(RAW)
    assert request.system == (Text("Be kind."),)
    assert [(message.role, message.blocks) for message in request.messages] == [
        ("system", (Text("Rules."),)),
        ("user", (Text("Look"), Image("image/png", "AA=="), Opaque("input_file"))),
        ("assistant", (Thinking("Hm.", "E"),)),
        ("assistant", (ToolCall("c1", "mcp__files__read", '{"p":1}'),)),
        ("assistant", (ToolCall("c2", "apply_patch", "*** Begin", custom=True),)),
        ("assistant", (ToolCall("c3", "local_shell", '{"action":{"type":"exec","command":["ls"]}}'),)),
        ("tool", (ToolResult("c1", (Text("text"),)),)),
        ("tool", (ToolResult("c2", (Text("ok"),)),)),
        ("tool", (Opaque("shell_call_output"),)),
        ("user", (Opaque("mcp_approval_response"),)),
        ("assistant", (Opaque("compaction"),)),
        ("assistant", (Text("Hi"),)),
        ("user", (Text("Go on"),)),
    ]
    assert (request.model, request.stream, request.max_tokens, request.structured) == ("gpt-x", True, 100, True)
    assert request.last_user_text == "Go on"


def test_a_text_is_the_users() -> None:
    assert read(input="Hello").messages == (Message("user", (Text("Hello"),)),)
    assert read(input="").messages == ()


def test_instructions_of_a_stored_prompt_are_opaque() -> None:
    item = {"type": "message", "role": "developer", "content": "x"}
    dialect = responses_dialect(hidden_history=True)
    body = orjson.dumps({**BODY, "prompt": {"id": "p"}, "instructions": [item]})
    request = dialect.read_request(body)
    assert request.system == (Opaque("instructions"),)
    more = dataclasses.replace(request, system=(*request.system, Text("More.")))
    assert orjson.loads(dialect.write_request(body, request, more, "gpt-x"))["instructions"] == [
        item,
        {"type": "input_text", "text": "More."},
    ]


def test_a_text_in_a_part_of_an_unknown_type_is_a_text() -> None:
    note = {"type": "note", "text": "Hello"}
    body = orjson.dumps({**BODY, "input": [{"role": "user", "content": [note]}]})
    assert OPENAI_RESPONSES.read_request(body).last_user_text == "Hello"
    said = (Message("user", (Text("HELLO", source=note),)),)
    changed = rewritten(lambda r: dataclasses.replace(r, messages=said), body)
    assert changed["input"][0]["content"] == [{"type": "note", "text": "HELLO"}]


@pytest.mark.parametrize(
    "body",
    [
        {"input": "x"},
        {"model": "m"},
        {"model": "m", "input": 1},
        {"model": "m", "input": ["x"]},
        {"model": "m", "input": [{"role": "nobody", "content": "x"}]},
        {"model": "m", "input": [{"role": "user"}]},
        {"model": "m", "input": [{"role": "user", "content": [{"text": "x"}]}]},
        {"model": "m", "input": [{"type": "function_call", "call_id": 1, "name": "x"}]},
        {"model": "m", "input": "x", "tools": {}},
        {"model": "m", "input": "x", "instructions": 1},
        {"model": "m", "input": "x", "instructions": [{"role": "developer", "content": "unseen"}]},
        {"model": "m", "input": "x", "stream": "yes"},
        {"model": "m", "input": [{"type": "message", "role": "user", "content": "x", "Content": "y"}]},
        {
            "model": "m",
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "TEXT": "y"}]}],
        },
    ],
)
def test_malformed_requests_are_refused(body: Any) -> None:
    with pytest.raises(BadRequest):
        OPENAI_RESPONSES.read_request(orjson.dumps(body))


@pytest.mark.parametrize(
    ("hidden", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"id": "msg_1"}]}, "input[0]"),
        ({"input": [{"id": "msg_1", "type": None}]}, "input[0]"),
    ],
)
def test_what_hides_history_is_refused_by_its_name_unless_it_is_allowed(hidden: Any, param: str) -> None:
    body = orjson.dumps({**BODY, **hidden})
    with pytest.raises(BadRequest, match="only the provider has") as refused:
        OPENAI_RESPONSES.read_request(body)
    assert refused.value.param == param
    assert responses_dialect(hidden_history=True).read_request(body).model == "gpt-x"


def test_a_stored_prompt_may_stand_alone_where_it_is_allowed() -> None:
    body = orjson.dumps({"model": "m", "prompt": {"id": "p"}})
    assert responses_dialect(hidden_history=True).read_request(body).messages == ()


def test_store_and_false_fields_hide_nothing() -> None:
    assert read(store=True, background=False, previous_response_id=None)


def test_an_unchanged_request_is_its_own_bytes() -> None:
    request = OPENAI_RESPONSES.read_request(RAW)
    assert OPENAI_RESPONSES.write_request(RAW, request, request, "gpt-x") is RAW
    assert OPENAI_RESPONSES.write_request(RAW, request, request, "b") == RAW.replace(b'"gpt-x"', b'"b"')


def test_changed_texts_change_nothing_else() -> None:
    shout = rewritten(lambda r: r.map_text(str.upper, roles=("system", "user", "assistant", "tool")))
    assert shout["input"][0]["content"][0] == {"type": "input_text", "text": "RULES."}
    assert shout["input"][1]["content"][0]["text"] == "LOOK"
    assert shout["input"][1]["content"][1:] == BODY["input"][1]["content"][1:]
    assert shout["input"][6]["output"] == "TEXT"
    assert shout["input"][7]["output"] == [{"type": "input_text", "text": "OK"}]
    assert shout["input"][11]["content"] == [{"type": "output_text", "text": "HI", "annotations": []}]
    assert shout["input"][12] == {"role": "user", "content": "GO ON"}
    untouched = [2, 3, 4, 5, 8, 9, 10]
    assert [shout["input"][at] for at in untouched] == [BODY["input"][at] for at in untouched]
    assert {**shout, "input": 0} == {**BODY, "input": 0}


def test_a_text_stays_a_text_until_more_is_said() -> None:
    body = orjson.dumps({"model": "gpt-x", "input": "Hello"})
    assert rewritten(lambda r: r.map_text(str.upper), body)["input"] == "HELLO"
    more = rewritten(lambda r: dataclasses.replace(r, messages=(*r.messages, Message("user", (Text("b"),)))), body)
    said = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": t}]} for t in ("Hello", "b")]
    assert more["input"] == said


def test_a_new_message_makes_as_many_items_as_it_takes() -> None:
    blocks = (
        Text("a"),
        Image(url="https://x"),
        Thinking("t", "s"),
        ToolCall("1", "f", "{}"),
        ToolCall("2", "g", "x", custom=True),
        Text("b"),
    )
    new = (Message("assistant", blocks), Message("tool", (ToolResult("1", (Text("r"),)), ToolResult("2"))))
    items = rewritten(lambda r: dataclasses.replace(r, messages=(*r.messages[:1], *new)))["input"]
    assert items == [
        BODY["input"][0],
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "a"},
                {"type": "input_image", "image_url": "https://x", "detail": "auto"},
            ],
        },
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "t"}], "encrypted_content": "s"},
        {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "2", "name": "g", "input": "x"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
        {"type": "function_call_output", "call_id": "1", "output": "r"},
        {"type": "function_call_output", "call_id": "2", "output": ""},
    ]


def test_changed_calls_keep_what_is_not_modelled() -> None:
    def change(request: Request) -> Request:
        messages = list(request.messages)
        for at, text in ((3, '{"p":2}'), (5, '{"action":{"type":"exec","command":["pwd"]}}')):
            (call,) = messages[at].blocks
            assert isinstance(call, ToolCall)
            changed = (dataclasses.replace(call, arguments_text=text),)
            messages[at] = dataclasses.replace(messages[at], blocks=changed)
        return dataclasses.replace(request, messages=tuple(messages))

    items = rewritten(change)["input"]
    assert items[3] == {**BODY["input"][3], "arguments": '{"p":2}'}
    assert items[5] == {**BODY["input"][5], "action": {"type": "exec", "command": ["pwd"]}}


def test_a_renamed_call_leaves_its_namespace() -> None:
    def change(request: Request) -> Request:
        (call,) = request.messages[3].blocks
        assert isinstance(call, ToolCall)
        message = dataclasses.replace(request.messages[3], blocks=(dataclasses.replace(call, name="other"),))
        return dataclasses.replace(request, messages=(message,))

    assert rewritten(change)["input"][0]["name"] == "other"


def test_a_call_whose_fields_are_nobodys_is_read_by_all_of_them() -> None:
    item = {"type": "tool_search_call", "execution": "server", "call_id": "c", "arguments": {"q": 1}}
    output = {"type": "function_call_output", "call_id": "c"}
    refused = {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    image = {"role": "user", "content": [{"type": "input_image", "image_url": "https://x"}]}
    request = read(input=[item, output, refused, image])
    assert [message.blocks for message in request.messages] == [
        (ToolCall("c", "tool_search", '{"arguments":{"q":1}}', executed=True),),
        (ToolResult("c"),),
        (Text("No."),),
        (Image(url="https://x"),),
    ]


def test_what_a_policy_moves_or_empties_is_written_where_it_stands_now() -> None:
    def change(request: Request) -> Request:
        picture = request.messages[1].blocks[1]
        moved = Message("user", (picture, Opaque("input_file", source={"type": "input_file", "file_id": "file_2"})))
        call = request.messages[3].blocks[0]
        answered = Message("assistant", (call, *request.messages[10].blocks))
        return dataclasses.replace(request, messages=(moved, answered, Message("user", ())))

    items = rewritten(change)["input"]
    assert [item["type"] for item in items] == ["message", "function_call", "compaction"]
    assert items[0]["content"] == [BODY["input"][1]["content"][1], {"type": "input_file", "file_id": "file_2"}]
    assert items[1] == BODY["input"][3]


def test_limits_and_instructions_are_edited() -> None:
    after = rewritten(lambda r: dataclasses.replace(r, max_tokens=5, system=(*r.system, Text("More."))))
    assert (after["max_output_tokens"], after["instructions"]) == (5, "Be kind.\n\nMore.")
    assert "instructions" not in rewritten(lambda r: dataclasses.replace(r, system=()))
