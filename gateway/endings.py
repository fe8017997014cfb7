"""How a call that went wrong is told to its client, and what its record says became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

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
from observability.recording.recorder import Outcome, RecordUnavailable
from policies.events import StreamTruncated

_ending: set[asyncio.Task[None]] = set()


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


def afterwards(work: Coroutine[object, object, None]) -> None:
    """Do `work` when the call is over; nobody waits for it."""
    task = asyncio.ensure_future(work)
    _ending.add(task)
    task.add_done_callback(_ending.discard)
