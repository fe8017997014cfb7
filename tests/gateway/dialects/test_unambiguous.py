"""What clients might read in another way than we do never reaches them while a policy judges."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gateway.dialects import ANTHROPIC, OPENAI_CHAT
from gateway.dialects.unambiguous import event_name, misspelled, unambiguous_object
from gateway.errors import BadRequest, UpstreamGarbled
from policies.events import Aside
from tests.streams import STREAMED, recordings, request_for

REQUEST = request_for("any")


def frame(data: Any, name: str = "") -> bytes:
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + (data if isinstance(data, bytes) else orjson.dumps(data)) + b"\n\n"


def message_start(**fields: Any) -> Any:
    return {"type": "message_start", "message": {"id": "i", "model": "m", **fields}}


def block(**fields: Any) -> Any:
    return {"type": "content_block_start", "index": 0, "content_block": fields}


def block_delta(**fields: Any) -> Any:
    return {"type": "content_block_delta", "index": 0, "delta": fields}


START = frame(message_start())
TOOL = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
TEXT = frame(block(type="text", text=""))
END = frame({"type": "content_block_stop", "index": 0}) + frame({"type": "message_stop"})
TWICE = b'{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f"},"type":"x"}'

ANTHROPIC_TRICKS = {
    "content in message_start": frame(message_start(content=[TOOL])),
    "an event whose name contradicts its type": START + frame({"type": "ping", "index": 0}, "content_block_start"),
    "a type that stands twice": START + frame(TWICE),
    "a text that stands twice": START
    + TEXT
    + frame(b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"bad","text":"good"}}'),
    "a text in another spelling": START + TEXT + frame(block_delta(type="text_delta", text="good", Text="bad")),
    "a text in letters that fold": START + frame({"type": "ping", "content_bloc\u212a": {}}),
    "text in a block of unknown type": START
    + frame(block(type="new"))
    + frame(block_delta(type="text_delta", text="x")),
    "text in a delta of unknown type": START + TEXT + frame(block_delta(type="new_delta", text="x")),
    "arguments beside a text": START + TEXT + frame(block_delta(type="text_delta", text="x", partial_json="{}")),
    "arguments in a delta of unknown type": START
    + frame(block(**TOOL))
    + frame(block_delta(type="x", partial_json="{")),
    "an answer behind its end": START + TEXT + END + frame({**block(**TOOL), "index": 1}),
    "an answer behind an error": START + frame({"type": "error", "error": {"type": "x", "message": "y"}}) + TEXT,
    "a line that is no field": b'{"content":[{"type":"text","text":"x"}]}\n\n',
    "data within a comment": ": hello\u2028data: {}\n\n".encode(),
    "an object within an object's lines": b'data: {"type":"ping","x":[\ndata: {"type":"message_stop"}\ndata: ]}\n\n',
}


def delta(**fields: Any) -> bytes:
    return frame({"id": "i", "model": "m", "choices": [{"index": 0, "delta": fields}]})


def choice(**fields: Any) -> bytes:
    return frame({"id": "i", "model": "m", "choices": [{"index": 0, "delta": {}, **fields}]})


def tool_call(**fields: Any) -> bytes:
    entry = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}, **fields}
    return delta(tool_calls=[entry])


FINISHED = choice(finish_reason="stop") + b"data: [DONE]\n\n"
CUSTOM = {"name": "g", "input": ""}
OTHER = {"name": "g", "arguments": ""}

CHAT_TRICKS = {
    "a message in a chunk": choice(message={"content": "x"}),
    "a message beside usual text": delta(content="x") + choice(delta={"content": "y"}, message={"content": "x"}),
    "text beside a delta": choice(text="x"),
    "a delta outside of a choice": frame({"choices": [], "delta": {"content": "x"}}),
    "content beside an error": frame({"error": {"message": "m"}, "choices": [{"delta": {"content": "x"}}]}),
    "an answer behind its end": delta(content="x") + FINISHED + delta(content="y"),
    "an answer behind an error": delta(content="x") + frame({"error": {"message": "m"}}) + delta(content="y"),
    "a content that stands twice": frame(b'{"choices":[{"delta":{"content":"bad","content":"good"}}]}'),
    "tool calls in another spelling": delta(content="x", Tool_Calls=[]),
    "a tool call of two kinds": tool_call(custom=CUSTOM),
    "a tool call of two kinds, called custom": tool_call(type="custom", custom=CUSTOM),
    "a custom tool call without its input": tool_call(type="custom"),
    "a custom tool call that is called a function": tool_call(function=None, custom=CUSTOM),
    "a tool call that gets another name": tool_call() + tool_call(function=OTHER),
    "a tool call that gets its name later": tool_call(function={"arguments": ""}) + tool_call(),
    "a tool call that gets another id": tool_call() + tool_call(id="b"),
    "a tool call at an index that is cut": tool_call(index=0.5),
    "a function call that gets another name": delta(function_call=OTHER) + delta(function_call={"name": "f"}),
    "reasoning that is said in two ways": delta(reasoning="x", reasoning_content="y"),
}


@pytest.mark.parametrize(
    ("dialect", "stream"),
    [pytest.param(ANTHROPIC, stream, id=trick) for trick, stream in ANTHROPIC_TRICKS.items()]
    + [pytest.param(OPENAI_CHAT, stream, id=trick) for trick, stream in CHAT_TRICKS.items()],
)
def test_a_stream_that_clients_may_read_in_another_way_is_garbled(dialect: Any, stream: bytes) -> None:
    with pytest.raises(UpstreamGarbled):
        dialect.reader(REQUEST).feed(stream)
    dialect.reader(REQUEST, strict=False).feed(stream)


@pytest.mark.parametrize("dialect", STREAMED)
def test_what_says_nothing_may_follow_the_end(dialect: str) -> None:
    reader = STREAMED[dialect].reader(REQUEST)
    reader.feed(dict(recordings(dialect))["text"])
    events = reader.feed(b": bye\n\ndata: [DONE]\n\n")
    assert len(events) == 2 and all(isinstance(event, Aside) for event in events)


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        (ANTHROPIC, b'{"content":[{"type":"text","text":"bad","text":"good"}]}'),
        (ANTHROPIC, b'{"content":[{"type":"tool_use","id":"t","name":"f","input":{}}],"content":[]}'),
        (OPENAI_CHAT, b'{"choices":[{"message":{"content":"good"},"text":"bad"}]}'),
        (OPENAI_CHAT, b'{"choices":[{"message":{"content":"good"},"delta":{"content":"bad"}}]}'),
        (OPENAI_CHAT, b'{"choices":[{"message":{"tool_calls":[{"function":{"name":"f"},"custom":{"name":"g"}}]}}]}'),
    ],
)
def test_an_answer_that_clients_may_read_in_another_way_is_garbled(dialect: Any, body: bytes) -> None:
    with pytest.raises(UpstreamGarbled):
        dialect.read_answer(body)


def test_a_new_kind_of_tool_that_the_provider_runs_is_shown_as_executed() -> None:
    body = {"content": [{"type": "future_tool_use", "id": "t", "name": "f", "input": {}}]}
    assert any(getattr(event, "executed", False) for event in ANTHROPIC.read_answer(orjson.dumps(body)))


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"m","messages":[{"role":"user","content":"x"}],"Messages":[]}',
        b'{"model":"m","messages":[{"role":"user","content":"x","CONTENT":"y"}]}',
        '{"model":"m","messages":[{"role":"user","content":"x"}],"tool\u017f":[]}'.encode(),
    ],
)
@pytest.mark.parametrize("dialect", STREAMED)
def test_a_request_with_a_field_in_another_spelling_is_refused(dialect: str, body: bytes) -> None:
    with pytest.raises(BadRequest, match="small letters"):
        STREAMED[dialect].read_request(body)


def test_names_of_tools_and_clients_are_their_own() -> None:
    assert misspelled({"tools": [{"input_schema": {"properties": {"Name": {}}}}], "metadata": {"ID": "1"}}) == ""


@pytest.mark.parametrize(
    "data", [b'{"a":1.0}', b'{ "a" : 1 }', b'{"a":123456789012345678901234567890}', b'{"a":"\\ud83d"}']
)
def test_json_that_is_only_written_in_another_way_is_read(data: bytes) -> None:
    assert unambiguous_object(data)


@pytest.mark.parametrize("data", [b"[1]", b'{"a":NaN}', b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"])
def test_json_that_is_no_object_or_that_not_all_can_read_is_garbled(data: bytes) -> None:
    with pytest.raises(UpstreamGarbled):
        unambiguous_object(data)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"data: {}\n\n", b""),
        (b"event: ping\ndata: {}\n\n", b"ping"),
        (b"\xef\xbb\xbfevent:ping\rdata: {}\r\r", b"ping"),
        (b": hello\nid: 1\nretry: 2\n\n", b""),
        (b'data: {"a":\ndata: "data: x"}\n\n', b""),
    ],
)
def test_the_name_of_an_event_is_read_in_every_shape(raw: bytes, name: bytes) -> None:
    assert event_name(raw) == name
