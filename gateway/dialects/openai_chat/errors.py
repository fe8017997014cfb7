"""Errors and the list of models, as OpenAI's clients expect them."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialects.frames import sse
from gateway.dialects.wire_json import Json, dumps, loads
from gateway.errors import ErrorKind, GatewayError

_TYPES: dict[ErrorKind, tuple[str, str | None]] = {
    "invalid_request": ("invalid_request_error", None),
    "authentication": ("invalid_request_error", "invalid_api_key"),
    "permission": ("invalid_request_error", "permission_denied"),
    "not_found": ("invalid_request_error", "model_not_found"),
    "too_large": ("invalid_request_error", "request_too_large"),
    "rate_limit": ("rate_limit_error", "rate_limit_exceeded"),
    "overloaded": ("server_error", "overloaded"),
    "timeout": ("server_error", "timeout"),
    "api_error": ("server_error", None),
}
_KINDS: dict[str, ErrorKind] = {
    "invalid_request_error": "invalid_request",
    "rate_limit_error": "rate_limit",
    "rate_limit_exceeded": "rate_limit",
    "requests": "rate_limit",
    "tokens": "rate_limit",
    "insufficient_quota": "rate_limit",
}


def write_error(error: GatewayError, call_id: str) -> bytes:
    return dumps(_error(error))


def write_failure(error: GatewayError, call_id: str) -> bytes:
    return sse(_error(error))


def read_error(body: bytes) -> tuple[str, str]:
    """The message and the code; see `Dialect.read_error`."""
    try:
        error = loads(body)["error"]
        if isinstance(error, str):
            return error, ""
        return str(error.get("message") or ""), str(error.get("code") or "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return "", ""


def error_kind(type_name: str) -> ErrorKind:
    return _KINDS.get(type_name, "api_error")


def error_type(kind: ErrorKind) -> str:
    return _TYPES[kind][0]


def write_models(models: Iterable[str]) -> bytes:
    data = [{"id": model, "object": "model", "created": 0, "owned_by": "luthien"} for model in models]
    return dumps({"object": "list", "data": data})


def _error(error: GatewayError) -> Json:
    type_name, code = _TYPES[error.kind]
    own = getattr(error, "code", None)
    param = getattr(error, "param", None)
    return {"error": {"message": str(error), "type": type_name, "param": param, "code": own or code}}
