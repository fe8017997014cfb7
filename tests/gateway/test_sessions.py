import pytest

from gateway.sessions import HEADERS, is_preflight, session_of
from policies.content import Message, Request, Text


def _request(text: str = "hello", max_tokens: int | None = 100, source: object = None) -> Request:
    return Request("m", (Message("user", (Text(text),)),), max_tokens=max_tokens, source=source)


@pytest.mark.parametrize("header", HEADERS)
def test_a_client_names_its_session_in_a_header(header: str) -> None:
    first = session_of("key", _request("a"), {header: "abc"})
    assert first == session_of("key", _request("b"), {header: "abc"})
    assert first != session_of("key", _request("a"), {header: "abd"})


def test_a_session_never_reaches_across_keys() -> None:
    assert session_of("one", _request(), {"session-id": "x"}) != session_of("two", _request(), {"session-id": "x"})
    assert session_of("one", _request(), {}) != session_of("two", _request(), {})


def test_the_metadata_names_it_where_no_header_does() -> None:
    source = {"metadata": {"user_id": "user_1_session_2"}}
    named = session_of("key", _request("a", source=source), {})
    assert named == session_of("key", _request("b", source=source), {})
    assert named != session_of("key", _request("b", source=source), {"session-id": "x"})


@pytest.mark.parametrize("source", [None, {}, {"metadata": None}, {"metadata": {"user_id": 7}}, {"metadata": []}])
def test_else_the_first_message_does(source: object) -> None:
    first = session_of("key", _request("a", source=source), {})
    longer = Request("m", (Message("user", (Text("a"),)), Message("assistant", (Text("b"),))))
    assert first == session_of("key", longer, {})
    assert first != session_of("key", _request("c"), {})


def test_a_probe_starts_no_session_but_belongs_to_a_named_one() -> None:
    probe = _request(max_tokens=1)
    assert is_preflight(probe)
    assert session_of("key", probe, {}) == ""
    assert session_of("key", probe, {"session-id": "x"}) == session_of("key", _request(), {"session-id": "x"})


def test_a_request_without_messages_has_none() -> None:
    assert session_of("key", Request("m"), {}) == ""


def test_text_that_is_no_unicode_still_names_a_session() -> None:
    assert session_of("key\ud800", _request("\udfff"), {}).startswith("ses_")
