"""Token counts and how an answer ended. OpenAI counts cached tokens into the input's; we do not."""

from __future__ import annotations

from typing import Any

from gateway.dialects.wire_json import Json
from policies.content import Usage

_REASONS = {"max_output_tokens": "max_tokens", "content_filter": "refusal"}
_BACK = {reason: name for name, reason in _REASONS.items()}
_COMPLETED = frozenset({"", "end_turn", "tool_use", "stop_sequence", "pause_turn"})


def read_reason(response: Json, calls_tools: bool) -> str:
    """Why the answer ended; the wire does not say whether it waits for tools, so `calls_tools` does."""
    details = response.get("incomplete_details")
    if response.get("status") == "incomplete" or details:
        reason = details.get("reason") if isinstance(details, dict) else None
        name = reason if isinstance(reason, str) and reason else "incomplete"
        return _REASONS.get(name, name)
    return "tool_use" if calls_tools else "end_turn"


def write_reason(reason: str) -> Json:
    """The fields of a response that say how it ended."""
    if reason in _COMPLETED:
        return {"status": "completed", "incomplete_details": None}
    return {"status": "incomplete", "incomplete_details": {"reason": _BACK.get(reason, reason)}}


def read_usage(source: Any) -> Usage:
    if not isinstance(source, dict):
        return Usage()
    details = source.get("input_tokens_details")
    cached, written = _count(details, "cached_tokens"), _count(details, "cache_write_tokens")
    plain = max(0, _count(source, "input_tokens") - cached - written)
    return Usage(plain, _count(source, "output_tokens"), cached, written, source=source)


def write_usage(usage: Usage) -> Json:
    source = usage.source
    if isinstance(source, dict) and "input_tokens_details" in source and read_usage(source) == usage:
        return source
    tokens = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    return {
        "input_tokens": tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": tokens + usage.output_tokens,
    }


def _count(source: Any, name: str) -> int:
    value = source.get(name) if isinstance(source, dict) else None
    return value if isinstance(value, int) else 0
