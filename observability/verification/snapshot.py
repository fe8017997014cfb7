"""The whole record as it stood at one moment, read in bulk past the ORM."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from observability.rows.database import DatabaseAway, postgres_options

Row = tuple[Any, ...]
PAGE = 1000


class Snapshot:
    """Reads inside one transaction. SQL is written with `?`, and what comes back is of the same types everywhere."""

    def __init__(self, execute: Callable[[str, Row], list[Row]], is_sqlite: bool) -> None:
        self._execute = execute
        self._is_sqlite = is_sqlite

    def read(self, sql: str, parameters: Row = ()) -> list[Row]:
        """Raises DatabaseAway."""
        return self._execute(sql, parameters)

    def table(
        self,
        table: str,
        columns: Sequence[str],
        key: str,
        *,
        times: Sequence[str] = (),
        flags: Sequence[str] = (),
    ) -> Iterator[list[dict[str, Any]]]:
        """Pages of a table in the order of its column `key`, as mappings; `times` are datetimes, `flags` booleans."""
        sql = f"SELECT {_names(columns)} FROM {table} {{}} ORDER BY {key} LIMIT {PAGE}"  # noqa: S608 (ours)
        rows = self.read(sql.format(""))
        place = columns.index(key)
        while rows:
            yield self.mappings(rows, columns, times, flags)
            rows = self.read(sql.format(f"WHERE {key} > ?"), (rows[-1][place],)) if len(rows) == PAGE else []

    def mappings(
        self, rows: Sequence[Row], columns: Sequence[str], times: Sequence[str], flags: Sequence[str]
    ) -> list[dict[str, Any]]:
        found = [dict(zip(columns, row, strict=True)) for row in rows]
        if self._is_sqlite:
            for row in found:
                for name in times:
                    row[name] = _time(row[name])
                for name in flags:
                    row[name] = row[name] == 1
        return found


@contextmanager
def snapshot(settings: Mapping[str, Any]) -> Iterator[Snapshot]:
    """Of the database of an entry of Django's DATABASES. Raises DatabaseAway."""
    try:
        if settings["ENGINE"].endswith("sqlite3"):
            with closing(sqlite3.connect(str(settings["NAME"]), isolation_level=None)) as database:
                database.execute("PRAGMA query_only=1")
                database.execute("BEGIN")
                yield Snapshot(lambda sql, parameters: database.execute(sql, parameters).fetchall(), True)
        else:
            with closing(psycopg.connect(**postgres_options(settings), autocommit=True)) as connection:
                connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor = connection.cursor(binary=True)

                def execute(sql: str, parameters: Row) -> list[Row]:
                    return cursor.execute(sql.replace("?", "%s"), parameters).fetchall()

                yield Snapshot(execute, False)
    except (sqlite3.Error, psycopg.Error) as error:
        raise DatabaseAway(f"{type(error).__name__}: {error}") from error


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
