"""How a call that went wrong is told to its client, and what its record says became of it."""

from __future__ import annotations

from gateway.errors import (
    BadRequest,
    GatewayError,
    PolicyStalled,
    RequestBlocked,
    RequestRefused,
    Unavailable,
    UpstreamError,
    UpstreamStalled,
    UpstreamTruncated,
)
from observability.recorder import Outcome, RecordUnavailable
from policies.events import StreamTruncated


def told(error: Exception) -> GatewayError | None:
    """`error` as a client may hear of it; None where it should never have come up here, which is a bug."""
    match error:
        case GatewayError():
            return error
        case StreamTruncated():
            return UpstreamTruncated("The provider's answer stopped before its end.")
        case RecordUnavailable():
            return Unavailable("The call cannot be put on record now, so it is not answered.", retry_after=5)
    return None


def outcome(error: GatewayError, begun: bool) -> Outcome:
    """What the record says of a call that ended in `error`; `begun` says that the answer's head had left by then."""
    match error:
        case RequestBlocked():
            return "blocked"
        case UpstreamStalled() | PolicyStalled():
            return "stalled"
        case UpstreamTruncated():
            return "cut"
        case UpstreamError():
            return "upstream_error"
        case BadRequest() | RequestRefused() | Unavailable() if not begun:
            return "refused"
    return "cut"
