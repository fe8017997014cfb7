"""Token counts and finish reasons. OpenAI counts cached tokens into the prompt's; we do not."""

from __future__ import annotations

from typing import Any

from gateway.dialects.wire_json import Json
from policies.content import Usage

_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_BACK = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def read_reason(reason: str) -> str:
    return _REASONS.get(reason, reason)


def write_reason(reason: str, known: str, legacy: bool) -> str:
    """`known`, the upstream's own word, where it means the same; `legacy` says that the call is a function call."""
    if known and read_reason(known) == reason:
        return known
    if reason == "tool_use" and legacy:
        return "function_call"
    return _BACK.get(reason, reason)


def read_usage(source: Any) -> Usage:
    if not isinstance(source, dict):
        return Usage()
    details = source.get("prompt_tokens_details")
    cached = _count(details, "cached_tokens")
    written = _count(details, "cache_write_tokens")
    prompt = max(0, _count(source, "prompt_tokens") - cached - written)
    return Usage(prompt, _count(source, "completion_tokens"), cached, written, source=source)


def write_usage(usage: Usage) -> Json:
    source = usage.source
    if isinstance(source, dict) and "prompt_tokens" in source:
        return source
    prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    details = {"cached_tokens": usage.cache_read_tokens}
    if usage.cache_write_tokens:
        details["cache_write_tokens"] = usage.cache_write_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output_tokens,
        "total_tokens": prompt + usage.output_tokens,
        "prompt_tokens_details": details,
    }


def _count(source: Any, name: str) -> int:
    value = source.get(name) if isinstance(source, dict) else None
    return value if isinstance(value, int) else 0
