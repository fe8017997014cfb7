"""The hash chain that makes an edit, a deletion or a reordering of the record visible. Pure.

Each writer has a chain of its own. A leaf is SHA-256 over the canonical JSON of what a row says; the chain's value is
SHA-256 over its value before and the leaf. Bodies, and what else may quote them, enter as commitments, SHA-256 of a
nonce and a digest: nonce, digest and text can be erased, and the leaf still verifies. Policies, their versions and
activations have no chain of their own: the audit event of each change commits to the rows as they then stand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from observability.text import json_text

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
    "changed_request", "changed_response", "released_bytes", "policies", "trace_id", "response_headers", "attempts",
    "notes", "truncated", "commitments",
)  # fmt: skip
CALL_FIELDS = (*OPENING_FIELDS, *CLOSING_FIELDS)
JSON_FIELDS = ("request_headers", "response_headers", "attempts", "notes", "truncated")
HIDDEN_FIELDS = ("error_message", "request_headers", "response_headers", "attempts", "notes")
"""What may quote people or models: the leaf knows it by the last of the commitments alone, so that it can be erased."""
BLOCK_FIELDS = ("position", "kind", "tool_name", "tool_call_id", "content", "released_at_ms")
DECISION_FIELDS = (
    "position", "policy", "version", "mode", "hook", "block", "action", "reason", "at_ms", "took_ms", "score",
    "evidence", "late",
)  # fmt: skip
HIDDEN_OF_DECISIONS = ("reason", "evidence")
"""The same of decisions; one that came late is a leaf of its own, in which all of it stands."""
ERASED = {name: "[]" if name in JSON_FIELDS else "" for name in HIDDEN_FIELDS}
"""What stands in the columns of a call whose contents were erased."""
AUDIT_FIELDS = ("at", "actor", "action", "subject", "detail", "commits")
POLICY_FIELDS = ("name", "created_at")
VERSION_FIELDS = (
    "policy_id", "number", "registered_name", "config", "checksum", "author", "note", "created_at",
)  # fmt: skip
ACTIVATION_FIELDS = (
    "policy_id", "version_id", "mode", "scope", "percent", "order", "on_failure", "deadline", "redacted", "author",
    "created_at", "ended_at", "previous_id",
)  # fmt: skip

Row = Mapping[str, Any]
Mark = tuple[int, bytes]
_pick_call: Callable[[Row], tuple[Any, ...]] = itemgetter(
    *(name for name in CALL_FIELDS if name not in (*HIDDEN_FIELDS, *JSON_FIELDS))
)
_pick_block: Callable[[Row], tuple[Any, ...]] = itemgetter(*BLOCK_FIELDS)
_pick_decision: Callable[[Row], tuple[Any, ...]] = itemgetter(
    *(name for name in DECISION_FIELDS if name not in HIDDEN_OF_DECISIONS)
)
_pick_late: Callable[[Row], tuple[Any, ...]] = itemgetter(*DECISION_FIELDS)
_CONTENT = BLOCK_FIELDS.index("content")
_EVIDENCE = DECISION_FIELDS.index("evidence")
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

    JSON_FIELDS are values, or their canonical text, which is what the leaf says. `nonces` hides the contents of blocks;
    where they were erased, the contents are their commitments. What HIDDEN_FIELDS and HIDDEN_OF_DECISIONS name is in
    the leaf through `commitments`.
    """
    nonces = bytes(call["nonces"])
    return _leaf(
        "call",
        _pick_call(call),
        _text(call["truncated"]),
        [_block_values(block, nonces) for block in blocks],
        [_pick_decision(decision) for decision in decisions],
    )


def hidden_digest(call: Row, decisions: Iterable[Row]) -> bytes:
    """SHA-256 over what the leaf of a call hides; `decisions` are those of the leaf, in order, with `evidence` as a
    value or as its canonical text."""
    return _leaf(
        [_text(call[name]) for name in HIDDEN_FIELDS],
        [(decision["reason"], _evidence(decision["evidence"])) for decision in decisions],
    )


def late_leaf(call_id: str, decision: Row) -> bytes:
    """The leaf of a decision that came after its call was closed."""
    values = _pick_late(decision)
    values = (*values[:_EVIDENCE], _evidence(values[_EVIDENCE]), *values[_EVIDENCE + 1 :])
    return _leaf("late", call_id, values)


def audit_leaf(event: Row) -> bytes:
    return _leaf("audit", {name: event[name] for name in AUDIT_FIELDS})


def row_leaf(table: str, id: int, row: Row) -> bytes:
    """What an audit event commits to of a row; `row` is all that is covered, as the database gives it back."""
    # A config may hold numbers of any size, which orjson refuses.
    said = json.dumps([table, id, row], default=plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).digest()


def _block_values(block: Row, nonces: bytes) -> tuple[Any, ...]:
    values = _pick_block(block)
    content = values[_CONTENT]
    if content is None or not nonces:
        return values
    return (*values[:_CONTENT], commit(nonces, bytes(content)), *values[_CONTENT + 1 :])


def _text(value: object) -> str:
    return value if isinstance(value, str) else json_text(value)


def _evidence(value: object) -> str | None:
    return None if value is None else _text(value)


def _leaf(*parts: object) -> bytes:
    option = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
    return hashlib.sha256(orjson.dumps(parts, default=plain, option=option)).digest()


def plain(value: object) -> object:
    """A value as leaves say it: times as microseconds since 1970, however databases format them; bytes in hex."""
    if isinstance(value, datetime):
        since = value - _EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    raise TypeError(f"{type(value).__name__} cannot stand in a leaf")
