import pytest

from gateway.upstreams import headers

KEPT = [
    "anthropic-version", "anthropic-beta", "anthropic-dangerous-direct-browser-access", "openai-organization",
    "openai-beta", "user-agent", "x-stainless-lang", "x-app", "x-claude-code-session-id", "session-id", "thread-id",
    "x-codex-turn-metadata", "content-type", "accept", "traceparent", "x-anything-else",
]  # fmt: skip
NOT_FORWARDED = [
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "host", "content-length", "content-encoding", "expect", "cookie", "authorization",
    "x-api-key", "api-key", "x-goog-api-key", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded",
]  # fmt: skip
NOT_RETURNED = [
    "connection", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade", "set-cookie",
    "content-encoding", "content-length",
]  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_what_is_not_named_is_forwarded_and_returned(name: str) -> None:
    assert (name, "value") in headers.forwarded([(name.title(), "value")])
    assert headers.returned([(name.title(), "value")]) == [(name, "value")]


@pytest.mark.parametrize("name", NOT_FORWARDED)
def test_these_are_not_forwarded(name: str) -> None:
    assert headers.forwarded([(name.title(), "value")]) == [("accept-encoding", "identity")]


@pytest.mark.parametrize("name", NOT_RETURNED)
def test_these_are_not_returned(name: str) -> None:
    assert headers.returned([(name.title(), "value")]) == []


def test_an_uncompressed_answer_is_asked_for_whatever_the_client_takes() -> None:
    assert headers.forwarded([("Accept-Encoding", "gzip, br")]) == [("accept-encoding", "identity")]


def test_headers_that_connection_names_stay_on_their_connection() -> None:
    given = [("Connection", "close, X-Hop"), ("X-Hop", "1"), ("X-End", "2")]
    assert headers.forwarded(given) == [("x-end", "2"), ("accept-encoding", "identity")]
    assert headers.returned(given) == [("x-end", "2")]


def test_a_mapping_of_headers_is_taken_too() -> None:
    assert headers.forwarded({"anthropic-beta": "a, b"})[0] == ("anthropic-beta", "a, b")


def test_headers_of_the_same_name_all_travel() -> None:
    assert headers.returned([("Via", "a"), ("via", "b")]) == [("via", "a"), ("via", "b")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "x"),
        ("Authorization", "x"),
        ("x-api-key", "x"),
        ("api-key", "x"),
        ("X-Auth-Token", "x"),
        ("te", "x"),
        ("a b", "x"),
        ("x", "a\r\nb: c"),
        ("", "x"),
    ],
)
def test_these_cannot_be_configured(name: str, value: str) -> None:
    assert not headers.may_be_configured(name, value)


def test_others_can_be_configured() -> None:
    assert headers.may_be_configured("OpenAI-Organization", "org-1")
