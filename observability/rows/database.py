"""The writer's own connection: plain SQL on SQLite or PostgreSQL, one thread, no ORM.

Statements are written once, with `?`, in SQL that both understand.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg.types.numeric import Int8Dumper

from .statements import Statement

LOG_PAGES = 4000
"""Pages of SQLite's write-ahead log before it is copied back, and begun anew."""
LOG_FRAME = 4096 + 24
PATIENCE = 2.0
"""Seconds of silence after which a database counts as away, unless its `patience` says otherwise."""


class DatabaseAway(Exception):
    """The database cannot be reached or cannot write now; the same work may succeed later."""


class DatabaseRefused(Exception):
    """The database will never take this."""


class Database(Protocol):
    """One thread's at a time. `patience` is how long it waits for the database to say something, in seconds."""

    patience: float

    def write(self, statements: Sequence[Statement]) -> int:
        """All of them in one transaction, durable on return. Returns the rows that the last one changed.

        Raises DatabaseAway, DatabaseRefused; then nothing was written, unless the connection died in the commit.
        """
        ...

    def read(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]: ...

    def time(self, value: datetime | None) -> Any:
        """A time as this database takes it."""
        ...

    def twin(self) -> Database:
        """Another connection to the same database, for another thread."""
        ...

    def close(self) -> None: ...


def connect(settings: Mapping[str, Any]) -> Database:
    """The database of an entry of Django's DATABASES; the connection is made when it is first needed."""
    if settings["ENGINE"].endswith("sqlite3"):
        return Sqlite(str(settings["NAME"]))
    return Postgres(postgres_options(settings))


def postgres_options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What psycopg connects with."""
    options = {name: value for name, value in settings.get("OPTIONS", {}).items() if name != "pool"}
    for name, setting in (("dbname", "NAME"), ("user", "USER"), ("password", "PASSWORD"), ("host", "HOST")):
        if settings.get(setting):
            options[name] = settings[setting]
    if settings.get("PORT"):
        options["port"] = settings["PORT"]
    return options


class Sqlite:
    def __init__(self, path: str) -> None:
        self._path = path
        self._patience = PATIENCE
        self._connection: sqlite3.Connection | None = None

    @property
    def patience(self) -> float:
        return self._patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._patience = seconds
        if self._connection is not None:
            self._connection.execute(f"PRAGMA busy_timeout={seconds * 1000:.0f}")

    def write(self, statements: Sequence[Statement]) -> int:
        try:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            changed = 0
            for sql, rows in statements:
                changed = connection.executemany(sql, rows).rowcount
            connection.execute("COMMIT")
            return changed
        except (*_SQLITE_UNSAYABLE, ValueError, OverflowError) as error:
            self.close()
            raise DatabaseRefused(type(error).__name__) from error
        except sqlite3.Error as error:  # busy, full, read-only, or damaged, which a backup may mend
            self.close()
            raise DatabaseAway(str(error)) from error

    def read(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connected().execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise DatabaseAway(str(error)) from error

    def time(self, value: datetime | None) -> str | None:
        if value is None:
            return None
        return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat(" ")[: -len("+00:00")]

    def twin(self) -> Sqlite:
        return Sqlite(self._path)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(
                self._path, timeout=self._patience, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
                # Copying the log back costs as much as a commit, and pages that changed often are copied once.
                connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
                connection.execute("PRAGMA cache_size=-32768")
                lay_out_log(connection, f"{self._path}-wal")
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


_SQLITE_UNSAYABLE = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError)


def lay_out_log(connection: sqlite3.Connection, path: str) -> None:
    """Make the write-ahead log as long as it gets before it is copied back.

    A commit that makes a file longer takes a disk two to three times as long as one that writes over it. SQLite reads a
    log up to the first frame that is not its own, so zeros behind the last one mean nothing to it.
    """
    connection.execute("BEGIN IMMEDIATE")  # or somebody else's frames might be overwritten
    try:
        with Path(path).open("r+b") as log:
            missing = LOG_PAGES * LOG_FRAME - log.seek(0, os.SEEK_END)
            if missing > 0:
                log.write(bytes(missing))
                log.flush()
                os.fsync(log.fileno())
    except OSError:
        return  # there is none (a database in memory), or no room: then the log grows as it always did
    finally:
        connection.execute("ROLLBACK")


_UNSAYABLE = (psycopg.DataError, psycopg.ProgrammingError)
_REFUSALS = ("22", "23", "54")
"""Classes of states: data, integrity, and what is larger than the server can store."""


class _Impatient(psycopg.Connection[tuple[Any, ...]]):
    """Breaks where the server says nothing for so long; a connection into the void does not do that by itself."""

    patience = PATIENCE

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()  # in good order it would ask the server first
            raise


class Postgres:
    def __init__(self, options: Mapping[str, Any]) -> None:
        self.patience = PATIENCE
        self._options = options
        self._connection: _Impatient | None = None

    def write(self, statements: Sequence[Statement]) -> int:
        try:
            connection = self._connected()
            with connection.pipeline(), connection.transaction():
                for sql, rows in statements:
                    cursor = connection.cursor()
                    cursor.executemany(sql.replace("?", "%s"), rows)
            return cursor.rowcount
        except psycopg.Error as error:
            self.close()
            # Without a state it is psycopg that cannot say it in SQL.
            refused = error.sqlstate[:2] in _REFUSALS if error.sqlstate else isinstance(error, _UNSAYABLE)
            raise (DatabaseRefused if refused else DatabaseAway)(type(error).__name__) from error
        except (ValueError, OverflowError) as error:
            self.close()
            raise DatabaseRefused(type(error).__name__) from error

    def read(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connected().execute(sql.replace("?", "%s"), parameters).fetchall()
        except psycopg.Error as error:
            self.close()
            raise DatabaseAway(type(error).__name__) from error

    def time(self, value: datetime | None) -> datetime | None:
        return value

    def twin(self) -> Postgres:
        return Postgres(self._options)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def _connected(self) -> _Impatient:
        if self._connection is None:
            defaults = {"connect_timeout": max(2, round(self.patience)), "options": "-c statement_timeout=15000"}
            connection = _Impatient.connect(**{**defaults, **self._options}, autocommit=True, prepare_threshold=0)
            # One type for all integers, or each mixture of sizes would be prepared as a statement of its own.
            connection.adapters.register_dumper(int, Int8Dumper)
            self._connection = connection
        self._connection.patience = self.patience
        return self._connection
