"""Reading all of a database at one moment, and filling one in one transaction; plain SQL, on connections of our own.

Neither holds up a gateway that writes meanwhile: SQLite's readers see the moment at which they began, and so does
PostgreSQL's REPEATABLE READ.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any, Protocol

import psycopg
from django.core.management.color import no_style
from django.db import connection, transaction

from luthien_site.backup.tables import Row, Table
from observability.rows.database import postgres_options

AT_ONCE = 2000


class Source(Protocol):
    def count(self, table: Table) -> int: ...

    def rows(self, table: Table) -> Iterator[Row]: ...


@contextmanager
def reading(settings: Mapping[str, Any]) -> Iterator[Source]:
    """All that the database (an entry of DATABASES) holds now, however long the reading takes. Raises DatabaseError."""
    with connection.wrap_database_errors:
        if settings["ENGINE"].endswith("sqlite3"):
            with closing(sqlite3.connect(settings["NAME"], isolation_level=None)) as lite:
                lite.execute("BEGIN")
                lite.execute("SELECT count(*) FROM sqlite_master").fetchone()
                yield _Sqlite(lite)
        else:
            with psycopg.connect(**postgres_options(settings)) as connected:
                connected.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connected.read_only = True
                yield _Postgres(connected)


class _Sqlite:
    def __init__(self, connected: sqlite3.Connection) -> None:
        self._connection = connected

    def count(self, table: Table) -> int:
        return int(self._connection.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0])  # noqa: S608

    def rows(self, table: Table) -> Iterator[Row]:
        found = self._connection.execute(f'SELECT {table.names} FROM "{table.name}"')  # noqa: S608
        return map(table.from_sqlite, found)


class _Postgres:
    def __init__(self, connected: psycopg.Connection[Row]) -> None:
        self._connection = connected
        # As text, as SQLite has it, and not parsed.
        for name in ("json", "jsonb"):
            connected.adapters.register_loader(name, psycopg.types.string.TextLoader)

    def count(self, table: Table) -> int:
        row = self._connection.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()  # noqa: S608
        assert row is not None
        return int(row[0])

    def rows(self, table: Table) -> Iterator[Row]:
        with self._connection.cursor(name="backup") as cursor:
            cursor.itersize = AT_ONCE
            yield from cursor.execute(f'SELECT {table.names} FROM "{table.name}"')  # noqa: S608


def is_used(tables: Iterable[Table]) -> bool:
    """Whether the database of the settings holds more than `migrate` puts there."""
    made = ("auth_permission", "django_content_type", "policies_revision")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT 1 FROM "{table.name}" LIMIT 1')  # noqa: S608
            if table.name not in made and cursor.fetchone():
                return True
    return False


@contextmanager
def filling(tables: Iterable[Table]) -> Iterator[None]:
    """Within, the database of the settings is empty and takes rows in any order; all of it happens, or nothing."""
    tables = list(tables)
    lite = connection.vendor == "sqlite"
    connection.ensure_connection()
    # SQLite does not let this be changed in a transaction.
    with connection.constraint_checks_disabled(), transaction.atomic():
        with connection.cursor() as cursor:
            if lite:
                for table in tables:
                    cursor.execute(f'DELETE FROM "{table.name}"')  # noqa: S608
            else:
                cursor.execute(f"TRUNCATE {', '.join(table.name for table in tables)} CASCADE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        yield
        connection.check_constraints()


def fill(table: Table, rows: Iterable[Row]) -> Iterator[int]:
    """Put rows in, within `filling`; tells how many, again and again."""
    rows = iter(rows)
    with connection.cursor() as cursor:
        while group := list(islice(rows, AT_ONCE)):
            if connection.vendor == "sqlite":
                marks = ", ".join(["%s"] * len(table.columns))
                sql = f'INSERT INTO "{table.name}" ({table.names}) VALUES ({marks})'  # noqa: S608
                cursor.executemany(sql, [table.to_sqlite(row) for row in group])
            else:
                with cursor.copy(f'COPY "{table.name}" ({table.names}) FROM STDIN') as copy:
                    for row in group:
                        copy.write_row(row)
            yield len(group)


def reset_sequences() -> None:
    from django.apps import apps

    models = apps.get_models(include_auto_created=True)
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(sql)
