"""Errors as the clients of Responses expect them; whole ones and the list of models are those of all of OpenAI."""

from __future__ import annotations

from gateway.dialects.frames import sse
from gateway.dialects.openai_chat.errors import error_kind as kind_of_type
from gateway.dialects.openai_chat.errors import read_error, write_error, write_models
from gateway.dialects.wire_json import Json, loads
from gateway.errors import ErrorKind, GatewayError

__all__ = [
    "error_kind",
    "error_type",
    "failure_events",
    "read_error",
    "read_failure",
    "write_error",
    "write_failure",
    "write_models",
]

_CODES: dict[ErrorKind, str] = {
    "invalid_request": "invalid_prompt",
    "rate_limit": "rate_limit_exceeded",
    "overloaded": "server_is_overloaded",
    "timeout": "timeout",
}
_KINDS: dict[str, ErrorKind] = {
    "invalid_prompt": "invalid_request",
    "context_length_exceeded": "invalid_request",
    "server_is_overloaded": "overloaded",
    "overloaded": "overloaded",
    "timeout": "timeout",
}
_HIGHER_THAN_ANY = 2**31
"""The sequence number of a failure that does not know what was written before it."""


def write_failure(error: GatewayError, call_id: str) -> bytes:
    told = loads(write_error(error, call_id))["error"]
    code = told["code"] or told["type"]
    events = failure_events(code, str(error), call_id)
    return b"".join(
        sse({**event, "sequence_number": _HIGHER_THAN_ANY + at}, event["type"]) for at, event in enumerate(events)
    )


def error_kind(type_name: str) -> ErrorKind:
    """What a code, which a failure here has for a type, stands for."""
    return _KINDS.get(type_name) or kind_of_type(type_name)


def error_type(kind: ErrorKind) -> str:
    """The code that stands for it."""
    return _CODES.get(kind, "server_error")


def failure_events(code: str, message: str, response_id: str, model: str = "") -> list[Json]:
    """Some clients only know `error`, with its fields in one of two places, and some only `response.failed`."""
    error = {"code": code, "message": message, "param": None}
    failed = {
        "id": response_id,
        "object": "response",
        "status": "failed",
        "model": model,
        "output": [],
        "error": {"code": code, "message": message},
    }
    return [
        {"type": "error", **error, "error": {"type": code, **error}},
        {"type": "response.failed", "response": failed},
    ]


def read_failure(source: Json) -> tuple[str, str]:
    """The type and the message of an `error` or `response.failed`."""
    outer = source.get("response") if source["type"] == "response.failed" else source
    inner = outer.get("error") if isinstance(outer, dict) else None
    error = inner if isinstance(inner, dict) else source
    kind = error.get("code") or (error.get("type") if error is not source else None) or "server_error"
    message = error.get("message")
    return str(kind), message if isinstance(message, str) else ""
