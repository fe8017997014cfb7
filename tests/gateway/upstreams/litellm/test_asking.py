from typing import Any

import orjson
import pytest

from gateway.errors import BadRequest
from gateway.upstreams.litellm import asking

KNOWN = ["temperature", "tools", "max_tokens"]
MESSAGES = [{"role": "user", "content": "hello"}]


def completion(supported: list[str] | None = KNOWN, **fields: Any) -> asking.Asked:
    return asking.completion(orjson.dumps({"model": "some/model-1.5", "messages": MESSAGES, **fields}), supported)


def test_what_the_provider_knows_goes_along() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    asked = completion(temperature=0.5, tools=tools, max_tokens=None)
    assert asked == asking.Asked("some/model-1.5", {"messages": MESSAGES, "temperature": 0.5, "tools": tools})


def test_where_nobody_knows_what_it_knows_all_that_is_openais_goes_along() -> None:
    assert completion(None, seed=1).arguments["seed"] == 1


def test_what_changes_little_is_left_out_and_named() -> None:
    asked = completion(seed=1, user="me", n=1, tool_choice="auto", logprobs=False, functions=[])
    assert asked.arguments == {"messages": MESSAGES}
    assert asked.dropped == ("functions", "logprobs", "n", "seed", "tool_choice", "user")


@pytest.mark.parametrize(
    "field",
    [
        {"response_format": {"type": "json_object"}},
        {"n": 2},
        {"logprobs": True},
        {"tool_choice": "none"},
        {"stop": "x"},
    ],
)
def test_what_would_change_the_answer_is_refused_where_the_provider_does_not_know_it(field: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as refused:
        completion(**field)
    assert refused.value.param == next(iter(field))


@pytest.mark.parametrize(
    "field",
    [
        *("api_key", "api_base", "base_url", "api_version", "custom_llm_provider", "fallbacks", "mock_response"),
        *("model_list", "metadata", "extra_headers", "aws_access_key_id", "vertex_credentials", "ssl_verify"),
        *("callbacks", "timeout", "num_retries", "input_cost_per_token", "_skip_mcp_handler", "litellm_logging_obj"),
    ],
)
def test_no_client_sets_litellms_own_arguments(field: str) -> None:
    asked = completion(None, **{field: "os.environ/SECRET"})
    assert asked.arguments == {"messages": MESSAGES}
    assert asked.dropped == (field,)


def test_a_stream_always_brings_its_usage() -> None:
    asked = completion(stream=True, stream_options={"include_usage": False})
    assert asked.arguments == {"messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True}}
    assert asked.dropped == ()


def test_a_stream_has_one_choice() -> None:
    with pytest.raises(BadRequest):
        completion(None, stream=True, n=2)
    assert completion(None, n=2).arguments["n"] == 2


@pytest.mark.parametrize("model", ["a/../b", "a?b", "a#b", "a b", "ä", "", "a%2e", "x" * 201])
def test_a_models_name_does_not_lead_elsewhere_in_an_address(model: str) -> None:
    with pytest.raises(BadRequest):
        completion(model=model)


def test_embeddings_take_their_three_fields() -> None:
    body = {"model": "m", "input": ["a"], "dimensions": 3, "encoding_format": "base64", "api_base": "x", "user": None}
    asked = asking.embedding(orjson.dumps(body))
    assert asked == asking.Asked("m", {"input": ["a"], "dimensions": 3}, ("api_base",))
