"""Every way a call can fail, in one flat tree. Pure.

    GatewayError                    status  kind
    ├── BadRequest                  400     invalid_request   the client's input cannot be used
    │   ├── Unauthenticated         401     authentication
    │   ├── Forbidden               403     permission
    │   ├── NotFound                404     not_found         no such model, path or thread
    │   ├── WrongMethod             405     invalid_request   a path that is served, asked in another way
    │   ├── RequestStalled          408     timeout           the rest of the body did not come
    │   ├── TooLarge                413     too_large
    │   ├── Unsupported             415     invalid_request   an encoding that cannot be inspected
    │   └── NoWebSocket             426     invalid_request   a call is asked for over a WebSocket
    ├── RequestBlocked              400     invalid_request   a policy's block, where a completed turn cannot say it
    ├── RequestRefused              429..   rate_limit        a policy's `refuse`
    ├── Unavailable                 503     overloaded        no record possible, no capacity, still warming up
    ├── PolicyStalled               504     timeout           request verdicts took too long together
    └── UpstreamError               502     api_error
        ├── UpstreamUnreachable     502     api_error         no connection
        ├── UpstreamStalled         504     timeout           silent past its deadline
        ├── UpstreamTruncated       502     api_error         the stream stopped without its end
        ├── UpstreamGarbled         502     api_error         bytes that are not the dialect
        ├── UpstreamEndless         502     api_error         more of an answer than may wait for a verdict
        ├── UpstreamUnavailable     its own api_error         an error answer where somebody else may be asked
        ├── UpstreamFailed          502     api_error         an error reported in mid-stream
        └── UpstreamRefused         4xx 5xx of the status     an error that the provider told in another dialect

`str(error)` is for the client: it names what to do, and never quotes content, credentials or exceptions. An answer of
the upstream that carries an error status is not an exception where it passes through as it came.
"""

from __future__ import annotations

from typing import Literal

ErrorKind = Literal[
    "invalid_request",
    "authentication",
    "permission",
    "not_found",
    "too_large",
    "rate_limit",
    "overloaded",
    "timeout",
    "api_error",
]


CONTEXT_LENGTH = "context_length_exceeded"
"""The code of an error that says that the conversation is too long for its model."""


class GatewayError(Exception):
    """`retry_after` is in seconds. `should_retry` None leaves the decision to the client's own rule for the status."""

    status = 500
    kind: ErrorKind = "api_error"
    should_retry: bool | None = None
    retry_after: float | None = None


class BadRequest(GatewayError):
    """`param` names the field at fault; `code` is a machine-readable detail, both where the dialect has room."""

    status = 400
    kind: ErrorKind = "invalid_request"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class Unauthenticated(BadRequest):
    status = 401
    kind: ErrorKind = "authentication"


class Forbidden(BadRequest):
    status = 403
    kind: ErrorKind = "permission"


class NotFound(BadRequest):
    status = 404
    kind: ErrorKind = "not_found"


class WrongMethod(BadRequest):
    status = 405


class RequestStalled(BadRequest):
    status = 408
    kind: ErrorKind = "timeout"


class TooLarge(BadRequest):
    status = 413
    kind: ErrorKind = "too_large"


class Unsupported(BadRequest):
    status = 415


class NoWebSocket(BadRequest):
    status = 426


class RequestBlocked(GatewayError):
    status = 400
    kind: ErrorKind = "invalid_request"
    should_retry = False


LONGEST_WAIT = 60.0
"""Seconds after which no client should try again by itself: its user would rather be told."""


class RequestRefused(GatewayError):
    kind: ErrorKind = "rate_limit"

    def __init__(self, message: str, status: int, retry_after: float | None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code or None
        self.retry_after = retry_after
        self.should_retry = None if retry_after is not None and retry_after <= LONGEST_WAIT else False
        self.kind = _REFUSED.get(status, self.kind)


_REFUSED: dict[int, ErrorKind] = {
    400: "invalid_request",
    401: "permission",
    403: "permission",
    404: "not_found",
    413: "too_large",
    503: "overloaded",
}


class Unavailable(GatewayError):
    status = 503
    kind: ErrorKind = "overloaded"

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PolicyStalled(GatewayError):
    status = 504
    kind: ErrorKind = "timeout"
    should_retry = False


class UpstreamError(GatewayError):
    status = 502


class UpstreamUnreachable(UpstreamError):
    """No connection to the provider, or it closed before it answered."""


class UpstreamStalled(UpstreamError):
    """The provider was silent past its deadline; the message names it and how long."""

    status = 504
    kind: ErrorKind = "timeout"


class UpstreamTruncated(UpstreamError):
    """The provider's stream stopped without its end."""


class UpstreamGarbled(UpstreamError):
    """The provider's bytes are not the dialect that it is configured for."""


class UpstreamUnavailable(UpstreamError):
    """The provider answered with an error status: its headers and its body, for when nobody else answers either."""

    def __init__(self, provider: str, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        super().__init__(f"The provider {provider} answered with status {status}.")
        self.status = status
        self.headers = headers
        self.body = body


class UpstreamEndless(UpstreamError):
    """More of an answer came than may wait for a verdict."""

    should_retry = False


class UpstreamFailed(UpstreamError):
    """The provider reported an error in mid-stream."""


class UpstreamRefused(UpstreamError):
    """The provider answered with an error, which the client is told in its own dialect. `code` may be empty."""

    def __init__(self, message: str, status: int, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code or None
        self.kind = _KINDS.get(status, "invalid_request" if status < 500 else "api_error")


_KINDS: dict[int, ErrorKind] = {
    401: "authentication",
    403: "permission",
    404: "not_found",
    408: "timeout",
    413: "too_large",
    429: "rate_limit",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
