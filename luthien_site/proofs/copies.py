"""Copies of all calls on record, each set six weeks before the one before: enough for plans, within seconds.

`python -m luthien_site.proofs.copies TIMES`; the settings in force name the database. Copies are in no chain.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from typing import Any

DAYS = 42


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luthien_site.settings")
    django.setup()
    copy(int(sys.argv[1]))


def copy(times: int) -> None:
    from django.db import transaction

    from observability.models import Block, CallRecord, Decision, SearchEntry

    with transaction.atomic():
        for model in (CallRecord, Block, Decision, SearchEntry):
            _copy(model, times)


def _copy(model: Any, times: int) -> None:
    from django.db import connection

    table = model._meta.db_table
    columns = [field.column for field in model._meta.concrete_fields if field.column]
    find = "instr" if connection.vendor == "sqlite" else "strpos"
    originals = f"{find}({'id' if 'id' in columns else 'call_id'}, '.') = 0"
    with connection.cursor() as cursor:
        for nth in range(1, times + 1):
            changed = _changed(nth, connection.vendor)
            values = ", ".join(changed.get(column, column) for column in columns)
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE {originals}"  # noqa: S608
            )


def _changed(nth: int, vendor: str) -> dict[str, str]:
    """What is other in the nth copy, by columns, in the database's words."""
    from observability.search.places import EPOCH, first_place

    name = {column: f"{column} || '.{nth}'" for column in ("id", "call_id")}
    earlier = (
        "strftime('%Y-%m-%d %H:%M:%S', {0}, '-{1} days') || substr({0}, 20)"
        if vendor == "sqlite"
        else "{0} - interval '{1} days'"
    )
    times = {column: earlier.format(column, nth * DAYS) for column in ("started_at", "closed_at")}
    places = nth * first_place(EPOCH + timedelta(days=DAYS))
    return {**name, **times, "number": f"number - {places}", "sequence": "NULL"}


if __name__ == "__main__":
    main()
