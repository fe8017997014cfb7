"""Chunks of a stream: parts of them, and edits that keep what we do not model."""

from __future__ import annotations

import re
from typing import Any

from gateway.dialects.wire_json import Json

from .pieces import MODELLED

_NULL_USAGE = re.compile(rb',[ \t]*"usage"[ \t]*:[ \t]*null|"usage"[ \t]*:[ \t]*null[ \t]*,[ \t]*')


def first_choice(source: Any) -> Json | None:
    """The choice of a chunk that says something of one choice; None for anything that is no such chunk."""
    choices = source.get("choices") if isinstance(source, dict) else None
    if not choices or is_completion(source):
        return None
    choice: Json = choices[0]
    return choice


def is_completion(source: Any) -> bool:
    """Whether this is a whole answer, not a chunk of one."""
    return isinstance(source, dict) and bool(source.get("choices")) and "message" in source["choices"][0]


def part_of(source: Any) -> Json:
    """What an event's source says of its block: a chunk's delta, or the part of a whole message."""
    choice = first_choice(source)
    if choice is not None:
        return choice.get("delta") or {}
    return source if isinstance(source, dict) and "choices" not in source else {}


def narrowed(chunk: Json, choice: Json, part: Json, extra: Json | None = None) -> Json:
    """The chunk as if it had said only `part` of this choice; `extra` are the fields of the delta that only travel."""
    kept = {name: value for name, value in choice.items() if name not in ("delta", "finish_reason")}
    if "logprobs" in kept and "content" not in part and "refusal" not in part:
        kept["logprobs"] = None
    return {**chunk, "choices": [{**kept, "delta": {**part, **(extra or {})}, "finish_reason": None}]}


def travelling(delta: Json) -> Json:
    return {name: value for name, value in delta.items() if name not in MODELLED}


def without_null_usage(raw: bytes) -> bytes:
    """The chunk as it would be, had nobody asked for usage; itself where that cannot be told for sure."""
    matches = list(_NULL_USAGE.finditer(raw))
    if len(matches) != 1:
        return raw
    return raw[: matches[0].start()] + raw[matches[0].end() :]
