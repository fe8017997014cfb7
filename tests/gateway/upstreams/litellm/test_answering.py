import base64
import struct
from typing import Any

import orjson
import pytest

from gateway.upstreams.litellm import answering


def chunk(**fields: Any) -> dict[str, Any]:
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", **fields}


def framed(made: dict[str, Any]) -> Any:
    frame = answering.frame(made)
    assert frame.startswith(b"data: ") and frame.endswith(b"\n\n")
    return orjson.loads(frame[6:])


def test_a_chunk_says_only_what_openais_would() -> None:
    delta = {"role": "assistant", "content": "a", "provider_specific_fields": {"x": 1}, "thinking_blocks": [{}]}
    made = framed(chunk(choices=[{"index": 0, "delta": delta, "provider_specific_fields": {}}], citations=["x"]))
    said = {"role": "assistant", "content": "a"}
    assert made == chunk(choices=[{"index": 0, "delta": said, "finish_reason": None}])


def test_the_chunk_of_the_usage_has_no_choice() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "cache_creation_input_tokens": 4}
    made = framed(chunk(choices=[{"index": 0, "delta": {}}], usage=usage))
    assert made["choices"] == []
    assert made["usage"] == {
        "prompt_tokens": 9,
        "completion_tokens": 2,
        "total_tokens": 11,
        "prompt_tokens_details": {"cache_write_tokens": 4},
    }


def test_usage_beside_a_finish_reason_stays_there() -> None:
    made = framed(chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], usage={"total_tokens": 1}))
    assert made["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]


def test_a_whole_answer_keeps_text_reasoning_and_calls() -> None:
    call = {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": "a", "reasoning_content": "r", "tool_calls": [{**call, "index": 2}]}
    choice = {
        "index": 0,
        "message": {**message, "annotations": []},
        "finish_reason": "stop",
        "logprobs": {"content": []},
    }
    made = orjson.loads(answering.completion({"id": "c", "choices": [choice], "hidden": 1}))
    said = {**message, "tool_calls": [call]}
    choice = {"index": 0, "message": said, "finish_reason": "stop", "logprobs": {"content": []}}
    assert made == {"id": "c", "choices": [choice]}


PACKED = base64.b64encode(struct.pack("<2f", 0.5, -1.0)).decode()


@pytest.mark.parametrize("given", [[0.5, -1.0], PACKED], ids=["floats", "packed"])
@pytest.mark.parametrize(("wanted", "got"), [("float", [0.5, -1.0]), ("base64", PACKED)])
def test_vectors_come_as_they_were_asked_for(given: Any, wanted: str, got: Any) -> None:
    answer = {"model": "m", "data": [{"embedding": given}], "usage": {"prompt_tokens": 2, "total_tokens": 2, "x": 0}}
    assert orjson.loads(answering.embedding(answer, wanted)) == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": got}],
        "model": "m",
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    }
