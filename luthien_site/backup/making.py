"""Making a backup of the database of the settings, while Luthien runs or not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from gateway import secrets
from luthien_site.backup import archive
from luthien_site.backup.databases import Source, reading
from luthien_site.backup.tables import Progress, Table, tables
from observability import audit
from observability.sealing.keys import signing_key

SEALS = "observability_seal"
ACTOR = "manage.py backup"


class NotOnRecord(Exception):
    """The backup is whole, but the database did not take that it was made."""


def make(path: Path, *, with_keys: bool, progress: Progress) -> dict[str, Any]:
    """Write the file, and put that on record; returns its manifest. Raises OSError, DatabaseError, NotOnRecord."""
    wanted = tables()
    manifest = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "database": connection.vendor,
        "secret_key": key_name(),
    }
    with reading(connection.settings_dict) as source, archive.writing(path, manifest, signing_key()) as writer:
        _write_tables(source, wanted, writer, progress)
        if with_keys:
            writer.key("secret_key", settings.SECRET_KEY)
            writer.key("signing_key", settings.LUTHIEN_SIGNING_KEY)
    detail = {"backup": writer.name, "keys": with_keys}
    try:
        audit.record(actor=ACTOR, action="record.backed_up", subject=path.name, detail=detail)
    except DatabaseError as error:
        raise NotOnRecord from error
    return writer.manifest


def key_name() -> str:
    """By which a restore knows whether its secret key is the same; nobody can guess the key by it."""
    return secrets.fingerprint("backup")


def _write_tables(source: Source, wanted: list[Table], writer: archive.Writer, progress: Progress) -> None:
    total = sum(source.count(table) for table in wanted)
    done = 0
    last_seal = 0
    for table in wanted:
        rows = source.rows(table)
        for written in writer.table(table.name, table.columns, rows):
            done += written
            progress(done, total)
        if table.name == SEALS:
            last_seal = writer.manifest["tables"][SEALS]["rows"]
    writer.manifest["seals"] = last_seal
    progress(total, total)
