"""litellm's exceptions as what happened: an error that the provider answered, a silence, or no answer at all. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.errors import UpstreamError, UpstreamStalled, UpstreamTruncated, UpstreamUnreachable

Headers = list[tuple[str, str]]

_LONGEST = 1000
_KEPT = re.compile(r"retry-after(-ms)?|x-should-retry|request-id|x-request-id|(x-)?(anthropic-)?ratelimit-.*")
_PREFIX = re.compile(r"^\s*(?:(?:litellm\.)?\w+(?:Error|Exception)(?::|\s+-)\s*)+")
_BROKEN_OFF = frozenset({"ClientPayloadError", "ReadError", "RemoteProtocolError", "IncompleteReadError"})
_TIMEOUTS = frozenset({"Timeout", "APITimeoutError", "ReadTimeout", "TimeoutException"})
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


@dataclass(frozen=True, slots=True)
class Told:
    """An error as the provider told it, in OpenAI's shape."""

    status: int
    headers: Headers
    body: bytes

    @property
    def frame(self) -> bytes:
        """The same in the middle of a stream; nothing may follow it."""
        return b"data: " + self.body + b"\n\n"


class MidStream(Exception):
    """The provider told of an error in the middle of its answer."""

    def __init__(self, told: Told) -> None:
        super().__init__()
        self.told = told


def told(provider: str, error: BaseException, secret: str = "") -> Told:
    """What the provider, or litellm in its place, has against the request. `secret` is kept out of it.

    Raises UpstreamStalled and UpstreamUnreachable where no answer came.
    """
    chain = list(_chain(error))
    headers = next((found for each in chain if (found := _headers(each))), None)
    statuses = [each.status_code for each in chain if isinstance(getattr(each, "status_code", None), int)]
    # litellm makes one status of several; the innermost exception still has the provider's.
    status = next((code for code in reversed(statuses) if 400 <= code < 600), 500)
    if headers is None and (status >= 500 or status == 408):
        raise _silence(provider, chain)
    return Told(status, _kept(headers or {}), body(status, message(error, secret)))


def broken(provider: str, error: BaseException, secret: str = "") -> Told:
    """What went wrong in the middle of a stream. Raises UpstreamTruncated and UpstreamStalled."""
    chain = list(_chain(error))
    names = {type(each).__name__ for each in chain}
    if names & _BROKEN_OFF:
        raise UpstreamTruncated(f"The provider {provider} closed its answer before its end.") from None
    if names & _TIMEOUTS:
        raise _silence(provider, chain)
    return Told(500, [], body(500, message(error, secret)))


def body(status: int, text: str) -> bytes:
    """The body of an error answer."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return orjson.dumps({"error": {"message": text, "type": kind, "param": None, "code": None}})


def message(error: BaseException, secret: str = "") -> str:
    """The provider's own words, without litellm's around them, its tracebacks, and our credential."""
    text = str(getattr(error, "original_exception", None) or error).partition("Traceback (most recent")[0]
    text = _PREFIX.sub("", text).partition(" Handle with `litellm.")[0].strip()
    text = _said_in_json(text) or text
    if secret:
        text = text.replace(secret, "***")
    return text[:_LONGEST] or "The provider gave no reason."


def _said_in_json(text: str) -> str:
    """The message of an error body, which litellm quotes as it came, or as Python writes bytes."""
    start, end = text.find("{"), text.rfind("}")
    try:
        said = orjson.loads(text[start : end + 1])["error"]
        return str(said["message"] if isinstance(said, dict) else said)
    except (ValueError, KeyError, TypeError):
        return ""


def _chain(error: BaseException) -> Iterator[Any]:
    """The exception and those behind it, outermost first."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [getattr(each, "original_exception", None), each.__cause__, each.__context__]


def _headers(error: Any) -> Mapping[str, str] | None:
    """The headers of the answer that the exception speaks of; litellm makes up responses without any."""
    for found in (
        getattr(error, "litellm_response_headers", None),
        getattr(getattr(error, "response", None), "headers", None),
    ):
        if found:
            headers: Mapping[str, str] = found
            return headers
    return None


def _kept(headers: Mapping[str, str]) -> Headers:
    named = ((name.lower(), str(value)) for name, value in headers.items())
    return [("content-type", "application/json"), *(pair for pair in named if _KEPT.fullmatch(pair[0]))]


def _silence(provider: str, chain: list[Any]) -> UpstreamError:
    names = {type(each).__name__ for each in chain}
    if names & _TIMEOUTS and not names & {"ConnectTimeout", "ConnectionTimeoutError"}:
        return UpstreamStalled(f"The provider {provider} did not answer in time.")
    return UpstreamUnreachable(f"The provider {provider} cannot be reached, or broke off before it answered.")
