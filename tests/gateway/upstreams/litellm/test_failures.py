from typing import Any

import orjson
import pytest

from gateway.errors import UpstreamStalled, UpstreamTruncated, UpstreamUnreachable
from gateway.upstreams.litellm import failures


class Failed(Exception):
    def __init__(self, text: str = "", status: Any = None, headers: Any = None, original: Any = None) -> None:
        super().__init__(text)
        self.status_code = status
        self.litellm_response_headers = headers
        self.original_exception = original


class Timeout(Failed):
    pass


class ReadError(Exception):
    pass


class ConnectTimeout(Exception):
    pass


HEADERS = {"Retry-After": "7", "x-ratelimit-remaining": "0", "set-cookie": "secret", "content-length": "3"}


def text(told: failures.Told) -> str:
    error: dict[str, Any] = orjson.loads(told.body)["error"]
    return str(error["message"])


def test_a_providers_error_keeps_its_status_and_what_tells_when_to_come_back() -> None:
    told = failures.told("prov", Failed("litellm.RateLimitError: RateLimitError: XException - slow down", 429, HEADERS))
    assert told.status == 429
    assert told.headers == [
        ("content-type", "application/json"),
        ("retry-after", "7"),
        ("x-ratelimit-remaining", "0"),
    ]
    assert orjson.loads(told.body)["error"] == {
        "message": "slow down",
        "type": "rate_limit_error",
        "param": None,
        "code": None,
    }


def test_the_innermost_status_is_the_providers() -> None:
    inner = Failed("overloaded", 529)
    assert failures.told("prov", Failed("x", 500, HEADERS, inner)).status == 529


def test_a_status_that_is_none_of_an_error_counts_as_500() -> None:
    assert failures.told("prov", Failed("x", 200, HEADERS)).status == 500


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ('XException - {"error": {"message": "no"}}', "no"),
        ("""AnthropicException - b'{"type":"error","error":{"message":"not so"}}'""", "not so"),
        ('XError: {"error": "plain"}', "plain"),
        ("litellm.BadRequestError: { not JSON }", "{ not JSON }"),
        ("XException - slow.. Handle with `litellm.RateLimitError`.", "slow.."),
        ("litellm.APIConnectionError: bad\nTraceback (most recent call last):\n  File x", "bad"),
        ("", "The provider gave no reason."),
        ("key sk-1 is wrong", "key *** is wrong"),
        ("x" * 3000, "x" * 1000),
    ],
)
def test_a_message_is_the_providers_without_litellms_words_and_our_secrets(said: str, heard: str) -> None:
    assert text(failures.told("prov", Failed(said, 400), "sk-1")) == heard


def test_what_litellm_itself_refuses_is_told_without_headers() -> None:
    told = failures.told("prov", Failed("litellm.UnsupportedParamsError: no such thing", 400))
    assert (told.status, told.headers) == (400, [("content-type", "application/json")])


def test_no_answer_is_no_status() -> None:
    with pytest.raises(UpstreamUnreachable, match="prov"):
        failures.told("prov", Failed("Connection error.", 500, {}))
    with pytest.raises(UpstreamUnreachable):
        failures.told("prov", ValueError("not installed"))


def test_silence_is_told_from_a_host_that_is_not_there() -> None:
    with pytest.raises(UpstreamStalled):
        failures.told("prov", Timeout("x", 408))
    late = Timeout("x", 408)
    late.__cause__ = ConnectTimeout()
    with pytest.raises(UpstreamUnreachable):
        failures.told("prov", late)


def test_in_mid_stream_an_error_a_cut_and_a_silence_differ() -> None:
    inner = Failed("litellm.InternalServerError: XException - broke")
    told = failures.broken("prov", Failed("outer", 500, None, inner))
    assert told.frame == b"data: " + told.body + b"\n\n"
    assert text(told) == "broke"
    with pytest.raises(UpstreamTruncated):
        failures.broken("prov", Failed("x", 500, None, ReadError()))
    with pytest.raises(UpstreamStalled):
        failures.broken("prov", Timeout("x"))


def test_exceptions_that_point_at_each_other_are_looked_at_once() -> None:
    one, other = Failed("a", 400), Failed("b", 404)
    one.__cause__, other.__cause__ = other, one
    assert failures.told("prov", one).status == 404
