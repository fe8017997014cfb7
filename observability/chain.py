"""The hash chain that makes an edit, a deletion or a reordering of the record visible. Pure.

Each writer has a chain of its own. A leaf is SHA-256 over the canonical JSON of what a row says; the chain's value is
SHA-256 over its value before and the leaf. Bodies enter as commitments, SHA-256 of a nonce and the body's digest: nonce
and digest can be erased, and the leaf still verifies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from .text import json_text

NONCE_BYTES = 16
START = bytes(32)
NOTHING = bytes(32)
"""The commitment to a body that is not there."""

OPENING_FIELDS = (
    "id", "key", "team", "session", "model", "dialect", "path", "streamed", "started_at", "snapshot",
    "request_headers", "process",
)  # fmt: skip
"""What is known of a call when it begins."""
CLOSING_FIELDS = (
    "closed_at", "provider", "upstream_model", "upstream_dialect", "outcome", "status", "error_kind",
    "error_message", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "cost_microdollars", "upstream_head_ms", "first_event_ms", "total_ms", "hold_ms", "overhead_ms",
    "changed_request", "changed_response", "released_bytes", "policies", "response_headers", "attempts", "notes",
    "truncated", "commitments",
)  # fmt: skip
CALL_FIELDS = (*OPENING_FIELDS, *CLOSING_FIELDS)
JSON_FIELDS = ("request_headers", "response_headers", "attempts", "notes", "truncated")
BLOCK_FIELDS = ("position", "kind", "tool_name", "tool_call_id", "content", "released_at_ms")
DECISION_FIELDS = (
    "position", "policy", "version", "mode", "hook", "block", "action", "reason", "at_ms", "took_ms", "score",
    "evidence", "late",
)  # fmt: skip
AUDIT_FIELDS = ("at", "actor", "action", "subject", "detail")

Row = Mapping[str, Any]
Mark = tuple[int, bytes]
_pick_call: Callable[[Row], tuple[Any, ...]] = itemgetter(*(name for name in CALL_FIELDS if name not in JSON_FIELDS))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Link(NamedTuple):
    """What a row stores of its place in a chain."""

    boot_id: str
    sequence: int
    leaf: bytes
    chain: bytes


class Chain:
    """One chain's end: `extend` moves it, `rewind` goes back to a `mark`, undoing what was not committed."""

    def __init__(self, boot_id: str, sequence: int = 0, value: bytes = START) -> None:
        self.boot_id = boot_id
        self._sequence = sequence
        self._value = value

    def extend(self, leaf: bytes) -> Link:
        self._sequence += 1
        self._value = hashlib.sha256(self._value + leaf).digest()
        return Link(self.boot_id, self._sequence, leaf, self._value)

    def mark(self) -> Mark:
        return self._sequence, self._value

    def rewind(self, mark: Mark) -> None:
        self._sequence, self._value = mark


def commit(nonce: bytes, digest: bytes | None) -> bytes:
    """What a leaf says of one body."""
    return NOTHING if digest is None else hashlib.sha256(nonce + digest).digest()


def call_leaf(call: Row, blocks: Sequence[Row], decisions: Sequence[Row]) -> bytes:
    """The leaf of a closed call with its blocks and decisions, both in the order of their positions.

    JSON_FIELDS are values, or their canonical text, which is what the leaf says.
    """
    return _leaf(
        "call",
        _pick_call(call),
        [json_text(call[name]) if type(call[name]) is not str else call[name] for name in JSON_FIELDS],
        [[block[name] for name in BLOCK_FIELDS] for block in blocks],
        [[decision[name] for name in DECISION_FIELDS] for decision in decisions],
    )


def late_leaf(call_id: str, decision: Row) -> bytes:
    """The leaf of a decision that came after its call was closed."""
    return _leaf("late", call_id, [decision[name] for name in DECISION_FIELDS])


def audit_leaf(event: Row) -> bytes:
    return _leaf("audit", {name: event[name] for name in AUDIT_FIELDS})


def _leaf(*parts: object) -> bytes:
    option = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
    return hashlib.sha256(orjson.dumps(parts, default=_plain, option=option)).digest()


def _plain(value: object) -> object:
    """Times as microseconds since 1970, so that databases may format them as they like; bytes in hex."""
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    raise TypeError(f"{type(value).__name__} cannot stand in a leaf")
