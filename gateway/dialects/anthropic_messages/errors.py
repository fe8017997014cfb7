"""Errors and the list of models, as Anthropic's clients expect them."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialects.frames import sse
from gateway.dialects.wire_json import Json, dumps, loads
from gateway.errors import CONTEXT_LENGTH, ErrorKind, GatewayError

_TYPES: dict[ErrorKind, str] = {
    "invalid_request": "invalid_request_error",
    "authentication": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "too_large": "request_too_large",
    "rate_limit": "rate_limit_error",
    "overloaded": "overloaded_error",
    "timeout": "timeout_error",
    "api_error": "api_error",
}
_KINDS: dict[str, ErrorKind] = {name: kind for kind, name in _TYPES.items()}
_TOO_LONG = "prompt is too long"
"""Clients find out by these words that they have to shorten the conversation."""
_UNKNOWN_RELEASE = "1970-01-01T00:00:00Z"


def write_error(error: GatewayError, call_id: str) -> bytes:
    return dumps(_error(error, call_id))


def write_failure(error: GatewayError, call_id: str) -> bytes:
    return sse(_error(error, call_id), "error")


def read_error(body: bytes) -> tuple[str, str]:
    """The message and the code; see `Dialect.read_error`."""
    try:
        error = loads(body)["error"]
        message = str(error.get("message") or "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return "", ""
    return message, CONTEXT_LENGTH if _TOO_LONG in message.lower() else ""


def error_kind(type_name: str) -> ErrorKind:
    return _KINDS.get(type_name, "api_error")


def error_type(kind: ErrorKind) -> str:
    return _TYPES[kind]


def write_models(models: Iterable[str]) -> bytes:
    data = [{"type": "model", "id": model, "display_name": model, "created_at": _UNKNOWN_RELEASE} for model in models]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return dumps({"data": data, "has_more": False, "first_id": first, "last_id": last})


def _error(error: GatewayError, call_id: str) -> Json:
    message, code = str(error), getattr(error, "code", None)
    if code == CONTEXT_LENGTH and _TOO_LONG not in message.lower():
        message = f"{_TOO_LONG}: {message}"
    body: Json = {"type": _TYPES[error.kind], "message": message}
    if code is not None:
        body["details"] = {"error_code": code}
    return {"type": "error", "error": body, "request_id": call_id}
