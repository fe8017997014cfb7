"""How the journal of a process that died comes into the database.

What it says is true of its calls; that they were interrupted is a guess of those who found them open meanwhile, such
as a gateway on another machine. Such a call is opened again, and the leaf of the guess is buried.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction

from observability import audit
from observability.models import CallRecord
from observability.rows.chain import Mark
from observability.rows.database import Database, DatabaseAway
from observability.rows.process import PUBLISH
from observability.rows.statements import REOPEN, Statement, calls, links, merged
from observability.sealing.keys import signing_key
from observability.sealing.tombstones import Range, bury

from . import superseded
from .journal import Abandoned, Frame
from .spill import groups, write

log = structlog.get_logger(__name__)


def bring_home(database: Database, abandoned: Abandoned) -> None:
    """Write all of it, and remove the file. Raises DatabaseAway, NotAJournal, OSError; then it can be done again."""
    entries = 0
    for group in groups(abandoned.frames()):
        if not _write_as_truth(database, group):
            write(database, group)
        _publish(database, group)
        entries += sum(frame.entries for frame in group)
    abandoned.done()
    if entries:
        log.warning("the journal of a process that died is in the database now", entries=entries)


def _write_as_truth(database: Database, group: Sequence[Frame]) -> bool:
    """Write a group in one transaction with what it corrects; False where the database refuses some of it."""
    together = merged(statements for frame in group for statements in frame.transactions)
    if together is None:
        return False
    changed = 0
    try:
        with transaction.atomic():
            _reopen(sorted(calls(together)))
            with connection.cursor() as cursor:
                for sql, rows in together:
                    cursor.executemany(sql.replace("?", "%s"), rows)
                    changed = cursor.rowcount
    except (IntegrityError, DataError, ValueError, OverflowError):
        return False
    except DatabaseError as error:
        raise DatabaseAway(type(error).__name__) from error
    finally:
        connection.close()
    superseded.excuse(database, together, changed)
    return True


def _reopen(ids: Sequence[str]) -> None:
    """Those of these calls that others took for interrupted. Until the end of the transaction nobody does so again."""
    found = CallRecord.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    found = found.only("process", "outcome", "boot_id", "sequence", "chain")
    guesses = [call for call in found if call.outcome == "interrupted" and call.boot_id != call.process]
    if not guesses:
        return
    places = [(call.boot_id, call.sequence or 0, bytes(call.chain or b"")) for call in guesses]
    buried = [Range(boot_id, sequence, sequence, chain) for boot_id, sequence, chain in places]
    audit.record(actor="luthien", action="record.corrected", commits=bury("removed", buried, signing_key()))
    with connection.cursor() as cursor:
        cursor.executemany(REOPEN.replace("?", "%s"), [(call.pk,) for call in guesses])


def _publish(database: Database, group: Sequence[Frame]) -> None:
    """Tell the sealer how far the chains of the dead have come; it may have thought that they had ended before."""
    ends: dict[str, Mark] = {}
    written: list[Statement] = [each for frame in group for statements in frame.transactions for each in statements]
    for boot_id, sequence, chain in links(written):
        ends[boot_id] = max(ends.get(boot_id, (0, b"")), (sequence, chain))
    if ends:
        database.write([(PUBLISH, [(boot_id, *mark, b"", True) for boot_id, mark in ends.items()])])
