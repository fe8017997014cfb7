"""The statements that write the record, and the order of their parameters. Pure.

Each may run twice, as it must when the answer to a commit is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .chain import BLOCK_FIELDS, CLOSING_FIELDS, DECISION_FIELDS, OPENING_FIELDS

LINK_COLUMNS = ("boot_id", "sequence", "leaf", "chain")
PAYLOADS = ("request_original", "request_final", "response_original", "response_final")

_UNKNOWN = {
    "closed_at": "NULL", "provider": "''", "upstream_model": "''", "upstream_dialect": "''", "outcome": "'open'",
    "status": "NULL", "error_kind": "''", "error_message": "''", "input_tokens": "NULL", "output_tokens": "NULL",
    "cache_read_tokens": "NULL", "cache_write_tokens": "NULL", "cost_microdollars": "NULL",
    "upstream_head_ms": "NULL", "first_event_ms": "NULL", "total_ms": "NULL", "hold_ms": "NULL",
    "overhead_ms": "NULL", "changed_request": "FALSE", "changed_response": "FALSE", "released_bytes": "0",
    "trace_id": "''", "response_headers": "'[]'", "attempts": "'[]'", "notes": "'[]'", "request_final": "NULL",
    "response_original": "NULL", "response_final": "NULL", "boot_id": "''", "sequence": "NULL", "leaf": "NULL",
    "chain": "NULL", "closing_bodies": "NULL",
}  # fmt: skip
"""What an open call's row says of what its end will tell, in SQL."""


def _insert(table: str, columns: Sequence[str], conflict: str, constants: dict[str, str] | None = None) -> str:
    constants = constants or {}
    names = ", ".join(f'"{column}"' for column in (*columns, *constants))
    values = ", ".join((*("?" * len(columns)), *constants.values()))
    return f"INSERT INTO observability_{table} ({names}) VALUES ({values}) ON CONFLICT {conflict}"  # noqa: S608


OPEN_COLUMNS = (
    *OPENING_FIELDS, "policies", "truncated", "request_original", "nonces", "commitments", "opening_bodies",
)  # fmt: skip
CLOSE_COLUMNS = (*CLOSING_FIELDS, *PAYLOADS, *LINK_COLUMNS, "closing_bodies")
"""They are followed by the call's id."""
WHOLE_COLUMNS = tuple(dict.fromkeys((*OPEN_COLUMNS, *CLOSE_COLUMNS)))
BLOCK_COLUMNS = ("call_id", *BLOCK_FIELDS, "arguments")
DECISION_COLUMNS = ("call_id", *DECISION_FIELDS, *LINK_COLUMNS)

BLOB = _insert(
    "blob",
    ("digest", "recipe", "data", "size", "touched_at"),
    "(digest) DO UPDATE SET touched_at = excluded.touched_at",
)
REFERENCE = _insert("blobreference", ("target", "source"), "DO NOTHING")
OPEN = _insert("callrecord", OPEN_COLUMNS, "(id) DO NOTHING", _UNKNOWN)
WHOLE = _insert("callrecord", WHOLE_COLUMNS, "(id) DO NOTHING")
BLOCK = _insert("block", BLOCK_COLUMNS, "DO NOTHING")
OUTBOX = _insert("outboxentry", ("call_id", "position"), "DO NOTHING")
DECISION = _insert("decision", DECISION_COLUMNS, "DO NOTHING")
_assignments = ", ".join(f'"{column}" = ?' for column in CLOSE_COLUMNS)
CLOSE = (
    f"UPDATE observability_callrecord SET {_assignments} "  # noqa: S608
    "WHERE id = ? AND outcome = 'open'"
)
_unknown = ", ".join(f'"{column}" = {value}' for column, value in _UNKNOWN.items())
REOPEN = f"UPDATE observability_callrecord SET {_unknown} WHERE id = ? AND outcome = 'interrupted'"  # noqa: S608

_LINKS = {
    sql: columns.index("boot_id")
    for sql, columns in ((WHOLE, WHOLE_COLUMNS), (CLOSE, CLOSE_COLUMNS), (DECISION, DECISION_COLUMNS))
}
_RANKS = {sql: rank for rank, sql in enumerate((BLOB, REFERENCE, OPEN, WHOLE, BLOCK, OUTBOX, DECISION, CLOSE))}
_LINED_UP = (BLOB, REFERENCE)
"""Other writers may store the same rows: in one order everywhere, or two could lock each other out."""

Statement = tuple[str, Sequence[tuple[Any, ...]]]
"""SQL, and the rows to run it with."""


def merged(transactions: Iterable[Sequence[Statement]]) -> list[Statement] | None:
    """One transaction that does what `transactions` do one after the other; None where that cannot be told."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for sql, more in (statement for statements in transactions for statement in statements):
        if sql not in _RANKS:
            return None  # of another version of Luthien
        rows.setdefault(sql, []).extend(more)
    for sql in _LINED_UP:
        if sql in rows:
            rows[sql].sort(key=_first_columns)
    return sorted(rows.items(), key=lambda statement: _RANKS[statement[0]])


def _first_columns(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[:2] if isinstance(row[1], bytes) else row[:1]


def links(statements: Iterable[Statement]) -> Iterator[tuple[str, int, bytes]]:
    """The places in chains that rows take: the chain's name, sequence, and the chain's value there."""
    for sql, rows in statements:
        if (first := _LINKS.get(sql)) is not None:
            yield from ((row[first], row[first + 1], row[first + 3]) for row in rows if row[first])


def calls(statements: Iterable[Statement]) -> set[str]:
    """The ids of the calls of which rows say something."""
    found: set[str] = set()
    for sql, rows in statements:
        if sql == CLOSE:
            found.update(row[-1] for row in rows)
        elif sql in (OPEN, WHOLE, BLOCK, OUTBOX, DECISION):
            found.update(row[0] for row in rows)
    return found
