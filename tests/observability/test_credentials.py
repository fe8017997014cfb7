import pytest

from observability.credentials import REMOVED, without_credentials, without_secrets


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "X-Goog-Api-Key",
        "Cookie",
        "set-cookie",
        "x-auth-token",
    ],
)
def test_a_header_that_carries_a_credential_loses_its_value(name: str) -> None:
    assert without_credentials([(name, "s3cret")]) == [(name, REMOVED)]


@pytest.mark.parametrize(
    "name", ["user-agent", "anthropic-ratelimit-tokens-remaining", "x-stainless-lang", "session-id"]
)
def test_other_headers_stay(name: str) -> None:
    assert without_credentials([(name, "value")]) == [(name, "value")]


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/messages?beta=true", "/messages?beta=true"),
        ("/messages", "/messages"),
        ("/m?key=s3cret", f"/m?key={REMOVED}"),
        ("/m?a=1&api_key=s3cret&b=2", f"/m?a=1&api_key={REMOVED}&b=2"),
        ("/m?access_token=s3cret", f"/m?access_token={REMOVED}"),
    ],
)
def test_a_query_loses_its_credentials(path: str, kept: str) -> None:
    assert without_secrets(path) == kept
