import pytest

from gateway import endings
from gateway.errors import (
    BadRequest,
    GatewayError,
    NotFound,
    PolicyStalled,
    RequestBlocked,
    RequestRefused,
    TooLarge,
    Unavailable,
    UpstreamEndless,
    UpstreamFailed,
    UpstreamGarbled,
    UpstreamStalled,
    UpstreamTruncated,
    UpstreamUnreachable,
)
from observability.recording.recorder import RecordUnavailable
from policies.events import StreamTruncated


@pytest.mark.parametrize(
    ("error", "before", "behind"),
    [
        (BadRequest("x"), "refused", "cut"),
        (NotFound("x"), "refused", "cut"),
        (TooLarge("x"), "refused", "cut"),
        (RequestRefused("x", 429, None), "refused", "cut"),
        (Unavailable("x"), "refused", "cut"),
        (RequestBlocked("x"), "blocked", "blocked"),
        (PolicyStalled("x"), "stalled", "stalled"),
        (UpstreamStalled("x"), "stalled", "stalled"),
        (UpstreamTruncated("x"), "cut", "cut"),
        (UpstreamUnreachable("x"), "upstream_error", "upstream_error"),
        (UpstreamGarbled("x"), "upstream_error", "upstream_error"),
        (UpstreamEndless("x"), "upstream_error", "upstream_error"),
        (UpstreamFailed("x"), "upstream_error", "upstream_error"),
        (GatewayError("x"), "cut", "cut"),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, Exception) else given,
)
def test_an_error_has_its_outcome(error: GatewayError, before: str, behind: str) -> None:
    assert endings.told(error) is error
    assert endings.outcome(error, begun=False) == before
    assert endings.outcome(error, begun=True) == behind


def test_what_others_raise_becomes_ours_and_what_nobody_should_raise_is_nothing_to_tell() -> None:
    assert isinstance(endings.told(StreamTruncated()), UpstreamTruncated)
    assert isinstance(endings.told(RecordUnavailable("the database is away")), Unavailable)
    assert endings.told(KeyError("secret")) is None
