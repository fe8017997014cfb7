"""Errors and the list of models, as Anthropic's clients expect them."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialects.frames import sse
from gateway.dialects.wire_json import Json, dumps
from gateway.errors import ErrorKind, GatewayError

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
_UNKNOWN_RELEASE = "1970-01-01T00:00:00Z"


def write_error(error: GatewayError, call_id: str) -> bytes:
    return dumps(_error(error, call_id))


def write_failure(error: GatewayError, call_id: str) -> bytes:
    return sse(_error(error, call_id), "error")


def write_models(models: Iterable[str]) -> bytes:
    data = [{"type": "model", "id": model, "display_name": model, "created_at": _UNKNOWN_RELEASE} for model in models]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return dumps({"data": data, "has_more": False, "first_id": first, "last_id": last})


def _error(error: GatewayError, call_id: str) -> Json:
    body: Json = {"type": _TYPES[error.kind], "message": str(error)}
    code = getattr(error, "code", None)
    if code is not None:
        body["details"] = {"error_code": code}
    return {"type": "error", "error": body, "request_id": call_id}
