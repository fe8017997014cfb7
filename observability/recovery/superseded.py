"""Calls that somebody else closed before us: their leaves are no gap in our chain.

It happens where two processes find the calls of a dead one at the same moment, or where one sleeps between heartbeat
and commit and is taken for dead. The leaf was made and the row has another's, so a tombstone says that it is void.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import DatabaseError, connection

from observability import audit
from observability.rows.database import Database, DatabaseAway
from observability.rows.statements import CLOSE, Statement
from observability.sealing.keys import signing_key
from observability.sealing.tombstones import Range, bury

_OURS = "SELECT 1 FROM observability_callrecord WHERE id = ? AND boot_id = ? AND sequence = ?"


def excuse(database: Database, transaction: Sequence[Statement], changed: int) -> None:
    """Bury the leaves of calls that a committed transaction did not close, given the rows its last statement changed.

    Raises DatabaseAway; the transaction may then be written again, and is looked at again.
    """
    sql, rows = transaction[-1]
    if sql != CLOSE or changed == len(rows):
        return
    void = []
    for row in rows:
        boot_id, sequence, _, chain, _, call_id = row[-6:]
        if not database.read(_OURS, (call_id, boot_id, sequence)):
            void.append(Range(boot_id, sequence, sequence, chain))
    if void:
        _bury(void)


def _bury(void: list[Range]) -> None:
    try:
        audit.record(actor="luthien", action="record.superseded", commits=bury("removed", void, signing_key()))
    except DatabaseError as error:
        raise DatabaseAway(type(error).__name__) from error
    finally:
        connection.close()
