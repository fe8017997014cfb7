"""The rows of one transaction, and the statements that write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson

from . import chain
from .blobs import NewBlob, Shelf
from .chain import Chain, Link
from .database import Database, Statement

Row = dict[str, Any]

_LINK = ("boot_id", "sequence", "leaf", "chain")
_CALL = (
    *chain.CALL_FIELDS, "request_original", "request_final", "response_original", "response_final", "nonces", *_LINK,
)  # fmt: skip
_FIXED = {
    "id", "key", "team", "session", "model", "dialect", "path", "streamed", "started_at", "snapshot",
    "request_headers", "process", "nonces",
}  # fmt: skip
"""Columns that an opening sets and a closing leaves as they are."""
_BLOCK = ("call_id", *chain.BLOCK_FIELDS)
_DECISION = ("call_id", *chain.DECISION_FIELDS, *_LINK)
_JSON = frozenset({"request_headers", "response_headers", "attempts", "notes", "truncated", "evidence"})
_TIMES = frozenset({"started_at", "closed_at"})
_UNLINKED: Row = {"boot_id": "", "sequence": None, "leaf": None, "chain": None}


def _insert(table: str, columns: Sequence[str], conflict: str) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO observability_{table} ({names}) VALUES ({marks}) ON CONFLICT {conflict}"  # noqa: S608


_closing = ", ".join(f'"{column}" = excluded."{column}"' for column in _CALL if column not in _FIXED)
BLOB = _insert(
    "blob",
    ("digest", "recipe", "data", "size", "touched_at"),
    "(digest) DO UPDATE SET touched_at = excluded.touched_at",
)
REFERENCE = _insert("blobreference", ("target", "source"), "DO NOTHING")
OPEN = _insert("callrecord", _CALL, "(id) DO NOTHING")
BLOCK = _insert("block", _BLOCK, "DO NOTHING")
DECISION = _insert("decision", _DECISION, "DO NOTHING")
CLOSE = _insert("callrecord", _CALL, f"(id) DO UPDATE SET {_closing} WHERE observability_callrecord.outcome = 'open'")
_ORDER = (REFERENCE, OPEN, BLOCK, DECISION, CLOSE)
BLOB_BYTES = 4 * 1024 * 1024
"""Blobs are written in transactions of this size at most, unless a single one is larger."""


class _Shape:
    """How a row becomes the parameters of a statement."""

    def __init__(self, statement: str, columns: Sequence[str]) -> None:
        self.statement = statement
        self.pick: Callable[[Row], tuple[Any, ...]] = itemgetter(*columns)
        self.json = [column for column in columns if column in _JSON]
        self.times = [column for column in columns if column in _TIMES]


_OPENING = _Shape(OPEN, _CALL)
_CLOSING = _Shape(CLOSE, _CALL)
_BLOCKS = _Shape(BLOCK, _BLOCK)
_DECISIONS = _Shape(DECISION, _DECISION)


class Batch:
    """Collects the rows of many entries. Every statement may run twice, as it must when a commit's answer is lost."""

    def __init__(self, shelf: Shelf, own_chain: Chain, database: Database, now: datetime) -> None:
        self._shelf = shelf
        self._chain = own_chain
        self._time: Callable[[datetime | None], Any] = database.time
        self._now = now
        self._rows: dict[str, list[tuple[Any, ...]]] = {statement: [] for statement in _ORDER}
        self._referred: set[tuple[bytes, bytes]] = set()
        self.blobs: list[NewBlob] = []

    def payload(self, call_id: str, raw: bytes, conversation: str = "") -> bytes:
        """Store bytes that `call_id` needs; returns their digest."""
        digest, fresh = self._shelf.put(raw, self._now, conversation)
        self.blobs.extend(fresh)
        for blob in fresh:
            self._referred.update((target, blob.digest) for target in blob.targets)
        self._referred.add((digest, call_id.encode()))
        return digest

    def open_call(self, row: Row) -> None:
        self._add(_OPENING, row)

    def close_call(self, row: Row, blocks: Sequence[Row], decisions: Sequence[Row]) -> None:
        link = self._chain.extend(chain.call_leaf(row, blocks, decisions))
        self._add(_CLOSING, {**row, **_columns(link)})

    def add_block(self, call_id: str, block: Row) -> None:
        self._add(_BLOCKS, {**block, "call_id": call_id})

    def add_decisions(self, call_id: str, decisions: Sequence[Row]) -> None:
        for decision in decisions:
            self._add(_DECISIONS, {**decision, **_UNLINKED, "call_id": call_id})

    def add_late(self, call_id: str, decision: Row) -> None:
        link = self._chain.extend(chain.late_leaf(call_id, decision))
        self._add(_DECISIONS, {**decision, **_columns(link), "call_id": call_id})

    def transactions(self) -> list[list[Statement]]:
        """What to commit, in order: blobs beyond a transaction's fill go ahead of the rows that need them."""
        # In one order everywhere, or two writers that store the same blobs could lock each other out.
        blobs = sorted(self.blobs, key=lambda blob: blob.digest)
        ahead: list[list[Statement]] = []
        group: list[tuple[Any, ...]] = []
        size = 0
        for blob in blobs:
            if group and size + len(blob.data) > BLOB_BYTES:
                ahead.append([(BLOB, group)])
                group, size = [], 0
            group.append((blob.digest, blob.recipe, blob.data, blob.size, self._time(self._now)))
            size += len(blob.data)
        rows = {BLOB: group, **self._rows, REFERENCE: sorted(self._referred)}
        last: list[Statement] = [(statement, rows[statement]) for statement in (BLOB, *_ORDER) if rows[statement]]
        return [*ahead, last] if last else ahead

    def _add(self, shape: _Shape, row: Row) -> None:
        values = dict(row)
        for column in shape.json:
            if values[column] is not None:
                values[column] = orjson.dumps(values[column]).decode()
        for column in shape.times:
            values[column] = self._time(values[column])
        self._rows[shape.statement].append(shape.pick(values))


def _columns(link: Link) -> Row:
    return {"boot_id": link.boot_id, "sequence": link.sequence, "leaf": link.leaf, "chain": link.chain}
