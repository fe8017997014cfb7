"""What clients might read in another way than we do never reaches them while a policy judges."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gateway.dialects import ANTHROPIC, OPENAI_CHAT, OPENAI_RESPONSES
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


def told(type_name: str, **fields: Any) -> bytes:
    return frame({"type": f"response.{type_name}", **fields}, f"response.{type_name}")


def item_event(what: str, **item: Any) -> bytes:
    return told(f"output_item.{what}", output_index=0, item=item)


def arguments(what: str, **fields: Any) -> bytes:
    return told(f"function_call_arguments.{what}", output_index=0, **fields)


def completed(*output: Any) -> bytes:
    return told("completed", response={"status": "completed", "output": list(output)})


CREATED = told("created", response={"id": "i", "model": "m", "output": []})
FUNCTION = {"type": "function_call", "id": "f", "call_id": "c", "name": "f", "arguments": ""}
SAFE, BAD = {**FUNCTION, "arguments": '{"c":"ls"}'}, {**FUNCTION, "arguments": '{"c":"rm"}'}
CALL = CREATED + item_event("added", **FUNCTION) + arguments("delta", delta='{"c":"ls"}')
MESSAGE = {"type": "message", "id": "m", "role": "assistant", "content": []}
GOOD = {**MESSAGE, "content": [{"type": "output_text", "text": "good"}]}
PART = {"output_index": 0, "content_index": 0}
SPEECH = (
    CREATED
    + item_event("added", **MESSAGE)
    + told("content_part.added", **PART, part={"type": "output_text", "text": ""})
    + told("output_text.delta", **PART, delta="good")
)

RESPONSES_TRICKS = {
    "output in response.created": told("created", response={"id": "i", "model": "m", "output": [BAD]}),
    "output in response.in_progress": CREATED + told("in_progress", response={"output": [BAD]}),
    "an event whose name contradicts its type": CREATED + frame({"type": "response.x"}, "response.output_item.done"),
    "an item before the response": item_event("done", **BAD),
    "an item that is done as another": CALL + item_event("done", **BAD),
    "an item that is done as another type": CALL + item_event("done", **{**SAFE, "type": "custom_tool_call"}),
    "an item that is done under another name": CALL + item_event("done", **{**SAFE, "name": "g"}),
    "an item that is done under another id": CALL + item_event("done", **{**SAFE, "call_id": "d"}),
    "an item that is done in another namespace": CALL + item_event("done", **{**SAFE, "namespace": "n"}),
    "an item that is done twice": CALL + item_event("done", **SAFE) + item_event("done", **BAD),
    "an item that is added twice": CALL + item_event("added", **FUNCTION),
    "arguments that are done as others": CALL + arguments("done", arguments='{"c":"rm"}'),
    "arguments of another kind of call": CALL + told("custom_tool_call_input.delta", output_index=0, delta="x"),
    "text in a call": CALL + told("output_text.delta", **PART, delta="x"),
    "a delta of no item": CREATED + told("output_text.delta", **PART, delta="x"),
    "a text that is done as another": SPEECH + told("output_text.done", **PART, text="bad"),
    "a text that is done as another in its item": SPEECH
    + item_event("done", **{**MESSAGE, "content": [{"type": "output_text", "text": "bad"}]}),
    "a text that is done as a refusal": SPEECH
    + item_event("done", **{**MESSAGE, "content": [{"type": "refusal", "refusal": "good"}]}),
    "a part that is gone when its item is done": SPEECH + item_event("done", **MESSAGE),
    "a refusal within a text": SPEECH + told("refusal.delta", **PART, delta="bad"),
    "a part out of order": SPEECH + told("content_part.added", output_index=0, content_index=2, part={"type": "x"}),
    "a summary within a message": SPEECH + told("reasoning_summary_part.added", output_index=0, part={}),
    "another output when all is complete": CALL + item_event("done", **SAFE) + completed(BAD),
    "more output when all is complete": CALL + item_event("done", **SAFE) + completed(SAFE, {**BAD, "call_id": "d"}),
    "an end within an item": CALL + completed(SAFE),
    "an answer behind its end": CREATED + completed() + item_event("done", **BAD),
    "an answer behind an error": CREATED + frame({"type": "error", "message": "m"}) + item_event("done", **BAD),
    "output in a failure": CREATED + told("failed", response={"status": "failed", "output": [BAD]}),
    "arguments that stand twice": CREATED
    + frame(
        b'{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","call_id":"c",'
        b'"name":"f","arguments":"{}","arguments":"[]"}}'
    ),
    "an item in another spelling": CREATED + frame({"type": "response.x", "Item": SAFE}),
    "a call that runs elsewhere when it is done": CREATED
    + item_event(
        "added", type="shell_call", id="s", call_id="c", action={}, environment={"type": "container_reference"}
    )
    + item_event("done", type="shell_call", id="s", call_id="c", action={}, environment={"type": "local"}),
}


@pytest.mark.parametrize(
    ("dialect", "stream"),
    [pytest.param(ANTHROPIC, stream, id=trick) for trick, stream in ANTHROPIC_TRICKS.items()]
    + [pytest.param(OPENAI_CHAT, stream, id=trick) for trick, stream in CHAT_TRICKS.items()]
    + [pytest.param(OPENAI_RESPONSES, stream, id=trick) for trick, stream in RESPONSES_TRICKS.items()],
)
def test_a_stream_that_clients_may_read_in_another_way_is_garbled(dialect: Any, stream: bytes) -> None:
    with pytest.raises(UpstreamGarbled):
        dialect.reader(REQUEST).feed(stream)
    dialect.reader(REQUEST, strict=False).feed(stream)


def test_what_the_responses_tricks_begin_with_is_clear() -> None:
    for stream in (
        CALL + item_event("done", **SAFE) + completed(SAFE),
        SPEECH + item_event("done", **GOOD) + completed(),
    ):
        assert OPENAI_RESPONSES.reader(REQUEST).feed(stream)


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
        (OPENAI_RESPONSES, b'{"output":[],"output":[{"type":"reasoning"}]}'),
        (OPENAI_RESPONSES, b'{"output":[{"type":"message","content":[{"type":"output_text","text":"a","Text":"b"}]}]}'),
        (OPENAI_RESPONSES, b'{"output":[{"type":"message","content":[]}],"output_text":"bad"}'),
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
        b'{"model":"m","messages":[],"input":"x","Previous_Response_ID":"resp_1"}',
        b'{"model":"m","messages":[],"input":"x","Thread":{"type":"continue"}}',
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
