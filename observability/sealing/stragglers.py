"""The last leaves of processes that were killed: what they wrote after their last heartbeat, found for the sealer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from observability.rows.database import Database
from observability.rows.process import PUBLISH

SILENT = timedelta(seconds=30)
"""A process that has not beaten for so long is looked after. If it wakes again, it publishes its chain itself."""
AROUND = timedelta(hours=24)
"""A call that a process closed after its last heartbeat began at most this long before; clocks jump."""

_GONE = (
    "SELECT p.boot_id, p.heartbeat_at, h.sequence, h.chain FROM observability_process p "
    "LEFT JOIN observability_chainhead h ON h.name = p.boot_id "
    "WHERE (p.ended_at IS NOT NULL OR p.heartbeat_at < ?) AND (h.settled IS NULL OR NOT h.settled)"
)
_NEAR = "started_at BETWEEN ? AND ?"
_NEWEST = "ORDER BY sequence DESC LIMIT 1"
_CLOSED = (
    "SELECT sequence, chain FROM observability_callrecord "  # noqa: S608 (constants)
    f"WHERE boot_id = ? AND sequence > ? AND {_NEAR} {_NEWEST}"
)
_ADOPTED = (
    "SELECT sequence, chain FROM observability_callrecord WHERE boot_id = ? AND sequence > ? "  # noqa: S608
    f"AND outcome = 'interrupted' AND NOT outcome = 'finished' {_NEWEST}"
)
_LATE = (
    "SELECT sequence, chain FROM observability_decision WHERE boot_id = ? AND sequence > ? "  # noqa: S608
    f"AND call_id IN (SELECT id FROM observability_callrecord WHERE {_NEAR}) {_NEWEST}"
)


def settle(database: Database) -> int:
    """Publish the true end of each chain that nobody extends any more; returns how many. Raises DatabaseAway."""
    gone = database.read(_GONE, (database.time(datetime.now(UTC) - SILENT),))
    for boot_id, heartbeat, sequence, chain in gone:
        end = _end(database, boot_id, _time(heartbeat), (sequence or 0, bytes(chain or b"")))
        database.write([(PUBLISH, [(boot_id, *end, b"", True)])])
    return len(gone)


def _end(database: Database, boot_id: str, heartbeat: datetime, known: tuple[int, bytes]) -> tuple[int, bytes]:
    near = (database.time(heartbeat - AROUND), database.time(heartbeat + AROUND))
    found = [
        known,
        *database.read(_CLOSED, (boot_id, known[0], *near)),
        *database.read(_ADOPTED, (boot_id, known[0])),
        *database.read(_LATE, (boot_id, known[0], *near)),
    ]
    sequence, chain = max(found, key=lambda each: int(each[0]))
    return int(sequence), bytes(chain)


def _time(value: Any) -> datetime:
    """A time as either database gives it."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value
