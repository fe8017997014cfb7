"""What our writers make is what the providers' own SDKs understand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest

from gateway.dialects import ANTHROPIC, OPENAI_CHAT, OPENAI_RESPONSES
from policies.content import Response, Text, Thinking, ToolCall, Usage
from policies.events import BlockStart, Event, response_events
from tests.streams import detached, recordings, request_for

RESPONSE = Response(
    "id_1",
    "model-1",
    (Thinking("hm", "c2ln"), Text("Hello"), ToolCall("call_1", "get", '{"a":1}'), ToolCall("call_2", "now", "")),
    "tool_use",
    Usage(7, 5, 2, 1),
)


def answering(body: bytes, content_type: str, library: Any = httpx) -> Any:
    """An HTTP client that gets `body` whatever it asks; the SDKs build on different libraries."""

    def answer(request: Any) -> Any:
        return library.Response(200, headers={"content-type": content_type}, content=body)

    return library.Client(transport=library.MockTransport(answer))


def anthropic_stream(body: bytes) -> anthropic.types.ParsedMessage[None]:
    client = anthropic.Anthropic(api_key="k", http_client=answering(body, "text/event-stream", httpx2))
    messages: Any = [{"role": "user", "content": "hi"}]
    with client.messages.stream(model="m", max_tokens=9, messages=messages) as stream:
        return stream.get_final_message()


def openai_stream(body: bytes) -> Any:
    client = openai.OpenAI(api_key="k", http_client=answering(body, "text/event-stream"))
    messages: Any = [{"role": "user", "content": "hi"}]
    with client.chat.completions.stream(model="m", messages=messages) as stream:
        return stream.get_final_completion()


def written(events: Sequence[Event], dialect: Any = ANTHROPIC) -> bytes:
    return bytes(dialect.writer(request_for("any")).write(events))


def test_the_anthropic_sdk_reads_a_stream_of_ours() -> None:
    message = anthropic_stream(written(list(response_events(RESPONSE))))
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert message.content[2].to_dict() == {"type": "tool_use", "id": "call_1", "name": "get", "input": {"a": 1}}
    assert (message.id, message.model, message.stop_reason) == ("id_1", "model-1", "tool_use")
    assert (message.usage.input_tokens, message.usage.output_tokens, message.usage.cache_read_input_tokens) == (7, 5, 2)


def test_the_anthropic_sdk_reads_an_answer_of_ours() -> None:
    body = ANTHROPIC.write_answer(list(response_events(RESPONSE)))
    client = anthropic.Anthropic(api_key="k", http_client=answering(body, "application/json", httpx2))
    message = client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]


def test_the_openai_sdk_reads_a_stream_of_ours() -> None:
    completion = openai_stream(written(list(response_events(RESPONSE)), OPENAI_CHAT))
    choice = completion.choices[0]
    assert choice.message.content == "Hello"
    calls = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls]
    assert calls == [("call_1", "get", '{"a":1}'), ("call_2", "now", "")]
    assert choice.finish_reason == "tool_calls"
    assert (completion.usage.prompt_tokens, completion.usage.total_tokens) == (10, 15)


def test_the_openai_sdk_reads_an_answer_of_ours() -> None:
    body = OPENAI_CHAT.write_answer(list(response_events(RESPONSE)))
    client = openai.OpenAI(api_key="k", http_client=answering(body, "application/json"))
    completion = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    assert completion.choices[0].message.content == "Hello"
    assert completion.choices[0].finish_reason == "tool_calls"


def responses_stream(body: bytes) -> list[Any]:
    """The events of a stream, once the SDK's helper, which checks them against one another, has accepted them."""
    client = openai.OpenAI(api_key="k", http_client=answering(body, "text/event-stream"))
    with client.responses.stream(model="m", input="hi") as stream:
        assert list(stream) and stream.get_final_response()
    return list(client.responses.create(model="m", input="hi", stream=True))


def done(events: Sequence[Any]) -> list[Any]:
    return [event.item.to_dict() for event in events if event.type == "response.output_item.done"]


def output(events: Sequence[Any]) -> list[Any]:
    return [item.to_dict() for item in events[-1].response.output]


def test_the_openai_sdk_reads_a_responses_stream_of_ours() -> None:
    events = responses_stream(written(list(response_events(RESPONSE)), OPENAI_RESPONSES))
    response = events[-1].response
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "function_call"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert done(events) == output(events)
    calls = [(call.call_id, call.name, call.arguments) for call in response.output[2:]]
    assert calls == [("call_1", "get", '{"a":1}'), ("call_2", "now", "")]
    assert (response.id, response.model, response.status) == ("id_1", "model-1", "completed")
    assert response.output_text == "Hello"
    assert (response.usage.input_tokens, response.usage.total_tokens) == (10, 15)


def test_the_openai_sdk_reads_a_responses_answer_of_ours() -> None:
    body = OPENAI_RESPONSES.write_answer(list(response_events(RESPONSE)))
    client = openai.OpenAI(api_key="k", http_client=answering(body, "application/json"))
    response = client.responses.create(model="m", input="hi")
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "function_call"]
    assert response.output_text == "Hello"


UNREADABLE = {"error_first", "error_in_mid_stream", "failed", "incomplete", "content_filter", "no_numbers"}
"""The SDK has no final response of these."""
UNUSUAL = {"items_only_done", "no_parts", "unknown_things", "empty_text", "empty_message", "odd_framing"}
"""The SDK cannot read these as they come, or reads less of them than of what we write in their place."""
USUAL = [item for item in recordings("openai_responses") if item[0] not in UNREADABLE | UNUSUAL]


@pytest.mark.parametrize(("name", "stream"), USUAL, ids=[name for name, _ in USUAL])
@pytest.mark.filterwarnings("ignore:Pydantic serializer")
def test_the_openai_sdk_sees_no_difference_in_a_rewritten_responses_stream(name: str, stream: bytes) -> None:
    reader = OPENAI_RESPONSES.reader(request_for(name))
    events = [detached(event) for event in reader.feed(stream) + reader.close()]
    original, rewritten = responses_stream(stream), responses_stream(written(events, OPENAI_RESPONSES))
    told = {item["id"]: item for item in done(original)}
    assert {item["id"]: item for item in done(rewritten)} == told
    assert output(rewritten) == done(rewritten)
    numbers = [event.sequence_number for event in rewritten]
    assert numbers == sorted(set(numbers))


ERRORS = {"error_first", "error_in_mid_stream"}
OUT_OF_ORDER = {"odd_framing", "interleaved_blocks", "empty_text", "tool_input_in_start", "several_message_deltas"}
"""The SDK cannot read these, or reads less of them than of what we write in their place."""
IN_ORDER = [item for item in recordings("anthropic") if item[0] not in ERRORS | OUT_OF_ORDER]


@pytest.mark.parametrize(("name", "stream"), IN_ORDER, ids=[name for name, _ in IN_ORDER])
def test_the_anthropic_sdk_sees_no_difference_in_a_rewritten_stream(name: str, stream: bytes) -> None:
    reader = ANTHROPIC.reader(request_for(name))
    events = reader.feed(stream) + reader.close()
    assert anthropic_stream(written([detached(event) for event in events])) == anthropic_stream(stream)


def test_the_openai_sdk_reads_a_stream_whose_last_tool_call_was_taken_out() -> None:
    stream = dict(recordings("openai_chat"))["parallel_tool_calls"]
    reader = OPENAI_CHAT.reader(request_for("any"))
    events = reader.feed(stream) + reader.close()
    third = next(at for at, event in enumerate(events) if isinstance(event, BlockStart) and event.id == "call_c")
    completion = openai_stream(written([*events[:third], events[-1]], OPENAI_CHAT))
    assert [call.id for call in completion.choices[0].message.tool_calls] == ["call_a", "call_b"]
