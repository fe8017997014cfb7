"""Token counts. Anthropic reports cache reads and writes apart from plain input."""

from __future__ import annotations

from typing import Any

from gateway.dialects.wire_json import Json
from policies.content import Usage

_NONE = Usage()


def read_usage(source: Any) -> Usage:
    if not isinstance(source, dict):
        return _NONE
    return Usage(
        _count(source, "input_tokens"),
        _count(source, "output_tokens"),
        _count(source, "cache_read_input_tokens"),
        _count(source, "cache_creation_input_tokens"),
        source=source,
    )


def merge_usage(earlier: Any, later: Any) -> Json:
    """Counts are cumulative: what comes later replaces, what is missing or null stays."""
    merged = dict(earlier) if isinstance(earlier, dict) else {}
    if isinstance(later, dict):
        merged.update((name, value) for name, value in later.items() if value is not None)
    return merged


def write_usage(usage: Usage) -> Json:
    source = usage.source
    if isinstance(source, dict) and "input_tokens" in source and read_usage(source) == usage:
        return source
    return {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
    }


def _count(source: Json, name: str) -> int:
    value = source.get(name)
    return value if isinstance(value, int) else 0
