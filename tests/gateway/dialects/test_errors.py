from __future__ import annotations

import orjson
import pytest

from gateway import errors
from gateway.dialects import ANTHROPIC, DIALECTS, OPENAI_CHAT, OPENAI_EMBEDDINGS, OPENAI_RESPONSES
from gateway.errors import GatewayError
from policies.content import Request
from policies.events import Aside

CASES = [
    (errors.BadRequest("m"), "invalid_request_error", "invalid_request_error", None),
    (errors.Unauthenticated("m"), "authentication_error", "invalid_request_error", "invalid_api_key"),
    (errors.Forbidden("m"), "permission_error", "invalid_request_error", "permission_denied"),
    (errors.NotFound("m"), "not_found_error", "invalid_request_error", "model_not_found"),
    (errors.RequestStalled("m"), "timeout_error", "server_error", "timeout"),
    (errors.TooLarge("m"), "request_too_large", "invalid_request_error", "request_too_large"),
    (errors.RequestRefused("m", 429, 1.0), "rate_limit_error", "rate_limit_error", "rate_limit_exceeded"),
    (errors.Unavailable("m"), "overloaded_error", "server_error", "overloaded"),
    (errors.UpstreamStalled("m"), "timeout_error", "server_error", "timeout"),
    (errors.UpstreamGarbled("m"), "api_error", "server_error", None),
]


@pytest.mark.parametrize(("error", "ours", "theirs", "code"), CASES)
def test_errors_have_the_words_of_each_dialect(error: GatewayError, ours: str, theirs: str, code: str | None) -> None:
    expected = {"type": "error", "error": {"type": ours, "message": "m"}, "request_id": "call_1"}
    assert orjson.loads(ANTHROPIC.write_error(error, "call_1")) == expected
    assert ANTHROPIC.write_failure(error, "call_1") == b"event: error\ndata: " + orjson.dumps(expected) + b"\n\n"
    body = {"error": {"message": "m", "type": theirs, "param": None, "code": code}}
    assert orjson.loads(OPENAI_CHAT.write_error(error, "call_1")) == body
    assert OPENAI_CHAT.write_failure(error, "call_1") == b"data: " + orjson.dumps(body) + b"\n\n"


def test_a_code_and_a_field_of_the_errors_own_are_told() -> None:
    error = errors.NotFound("m", param="thread", code="thread_not_found")
    assert orjson.loads(ANTHROPIC.write_error(error, "c"))["error"]["details"] == {"error_code": "thread_not_found"}
    told = orjson.loads(OPENAI_CHAT.write_error(error, "c"))["error"]
    assert (told["code"], told["param"]) == ("thread_not_found", "thread")


def test_models_are_listed_in_the_shape_of_each_dialect() -> None:
    page = orjson.loads(ANTHROPIC.write_models(["a", "b"]))
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("a", "b", False)
    assert page["data"][0] == {
        "type": "model",
        "id": "a",
        "display_name": "a",
        "created_at": "1970-01-01T00:00:00Z",
    }
    assert orjson.loads(ANTHROPIC.write_models([]))["first_id"] is None
    models = orjson.loads(OPENAI_CHAT.write_models(["a"]))
    assert models == {
        "object": "list",
        "data": [{"id": "a", "object": "model", "created": 0, "owned_by": "luthien"}],
    }


def test_dialects_go_by_the_names_on_the_record() -> None:
    assert DIALECTS == {
        "anthropic": ANTHROPIC,
        "openai_chat": OPENAI_CHAT,
        "openai_embeddings": OPENAI_EMBEDDINGS,
        "openai_responses": OPENAI_RESPONSES,
    }
    assert (ANTHROPIC.binds_thinking, OPENAI_CHAT.binds_thinking) == (True, False)


def test_a_keepalive_says_nothing_between_two_frames() -> None:
    for dialect in DIALECTS.values():
        reader = dialect.reader(Request("m", stream=True))
        assert [type(event) for event in reader.feed(dialect.keepalive * 2)] == [Aside, Aside]
