"""Restoring a backup into the database of the settings, and seeing that it is what was backed up."""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

from luthien_site.backup.archive import BadBackup, Reader
from luthien_site.backup.databases import fill, filling, is_used, reset_sequences
from luthien_site.backup.tables import Progress, Table, tables
from observability import audit
from observability.jobs import workers
from observability.models import Process, Seal
from observability.sealing.anchor import Anchor
from observability.sealing.keys import public_key
from observability.sealing.statement import Seal as Statement
from observability.verification.run import Report, Verification
from observability.verification.snapshot import snapshot

ACTOR = "manage.py restore"


class Refused(Exception):
    """The backup is not restored; says why, and what to do."""


def trust(reader: Reader, keys: Collection[bytes]) -> None:
    """Raises Refused where neither this installation nor one of `keys` signed the backup."""
    if reader.key not in {public_key(), *keys}:
        raise Refused(
            f"It is signed with the key {reader.key.hex()}, which is not this installation's. If it is that of the one "
            f"that was backed up (`verify_audit --print-key` prints it there), go on with --key {reader.key.hex()}."
        )


def count(reader: Reader) -> int:
    """How many rows there are in all tables of the backup."""
    return sum(said["rows"] for said in reader.manifest["tables"].values())


def compare(reader: Reader, progress: Progress) -> None:
    """Read all of the file, and nothing else. Raises BadBackup where something in it is not what was signed."""
    total = count(reader)
    done = 0
    for name in reader.manifest["tables"]:
        for _ in reader.rows(name):
            done += 1
            progress(done, total)
    reader.keys()
    progress(total, total)


def check(reader: Reader, *, force: bool) -> list[Table]:
    """The tables to be filled. Raises Refused where the database must not be, and BadBackup."""
    wanted = tables()
    said = reader.manifest["tables"]
    for table in wanted:
        if table.name not in said or tuple(said[table.name]["columns"]) != table.columns:
            raise BadBackup(f"It is of another version of Luthien: the table {table.name} differs.")
    if Process.objects.alive().exists() or workers.alive().exists():
        raise Refused("Luthien runs on this database. Stop all of its processes first.")
    if not force and is_used(wanted):
        raise Refused("This database is in use: --force deletes what it holds.")
    return wanted


def restore(reader: Reader, wanted: list[Table], progress: Progress) -> None:
    """All of it, and that it was restored, or nothing. Raises BadBackup, DatabaseError."""
    total = count(reader)
    done = 0
    with filling(wanted):
        for table in wanted:
            for written in fill(table, reader.rows(table.name)):
                done += written
                progress(done, total)
        reset_sequences()
        detail = {"made": reader.manifest["at"], "backup": reader.name, "signed_by": reader.key.hex()}
        audit.record(actor=ACTOR, action="record.restored", detail=detail)
    progress(total, total)


def set_aside_anchor() -> Path | None:
    """Begin the anchor anew with the seals that were restored; what it was is kept beside it, and returned.

    Else seals that come would bear numbers that the anchor knows of a time that the database has forgotten.
    """
    path = Path(settings.LUTHIEN_ANCHOR_FILE)
    aside = None
    if path.exists():
        aside = path.with_name(f"{path.name}.until-{datetime.now(UTC):%Y%m%d-%H%M%S}")
        path.rename(aside)
    Anchor(path).append(Statement.read(line.encode()) for line in Seal.objects.values_list("line", flat=True))
    return aside


def verify(reader: Reader, progress: Progress) -> Report:
    """What `verify_audit` finds in it, bodies included; seals of the key that signed the backup count."""
    keys = {public_key(), reader.key}
    with snapshot(connection.settings_dict) as database:
        return Verification(database, keys, progress).run(None, with_bodies=True)


def write_keys(reader: Reader) -> list[Path]:
    """Put the keys of the backup into the data directory, in place of those that are there."""
    written = []
    for name, value in reader.keys().items():
        path = Path(settings.LUTHIEN_DATA_DIR) / name
        draft = path.with_name(f".{name}.restored")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(value)
        draft.replace(path)
        written.append(path)
    return written
