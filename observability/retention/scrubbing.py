"""What a database leaves on disk of rows that are gone, as far as anybody can do something about it."""

from __future__ import annotations

from django.db import connection

from observability.rows.database import lay_out_log

TABLES = ("callrecord", "block", "decision", "blob", "blobreference", "searchentry", "sessioncall", "sessionsummary")


def overwrite_what_is_deleted() -> None:
    """Let this connection fill with zeros what it deletes, where the database can."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete=ON")


def empty_log() -> bool:
    """Cut SQLite's write-ahead log, which has pages as they were; False while somebody reads from it.

    PostgreSQL's log is not ours to cut.
    """
    if connection.vendor != "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (busy, *_) = cursor.fetchone()
    lay_out_log(connection.connection, f"{connection.settings_dict['NAME']}-wal")
    return not busy


def rewrite() -> None:
    """Write the tables of the record anew, without what is left in them of rows that are gone; calls wait meanwhile."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("VACUUM")
        else:
            for table in TABLES:
                cursor.execute(f"VACUUM (FULL) observability_{table}")
