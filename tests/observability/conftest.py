"""A writer of the test's own on the test database, and calls to put on record."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asgiref.sync import SyncToAsync
from django.db import connection, connections

from observability.recording.recorder import CallFacts, CallRecorder
from observability.recording.writer import RecordMode, Writer
from observability.recovery.spill import Spill
from observability.rows.database import Database, connect
from tests.observability.weather import Weather

_numbers = itertools.count()
Record = Callable[..., CallRecorder]
MakeWriter = Callable[..., Writer]


@pytest.fixture(scope="session", autouse=True)
def no_connection_stays_open(django_db_setup: None) -> Iterator[None]:
    """Closes the connection of the thread in which the asynchronous ORM works, or the database could not be dropped."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture
def database(transactional_db: None) -> Iterator[Database]:
    """A connection as the writer makes it."""
    made = connect(connection.settings_dict)
    yield made
    made.close()


@pytest.fixture
def weather(transactional_db: None) -> Weather:
    return Weather()


@pytest.fixture
def make_writer(transactional_db: None, tmp_path: Path) -> Iterator[MakeWriter]:
    """Starts writers on the test database, and stops them when the test is over; all have their journals in one folder.

    `spill_bytes` is the most that a journal may take; with 0 there is none.
    """
    writers: list[Writer] = []

    def make(
        mode: RecordMode = "blocking",
        database: Database | None = None,
        find_orphans: bool = False,
        spill_bytes: int = 1 << 30,
    ) -> Writer:
        spill = Spill(tmp_path / "spill", spill_bytes) if spill_bytes else None
        writer = Writer(database or connect(connection.settings_dict), mode, spill, find_orphans=find_orphans)
        writer.start()
        writers.append(writer)
        return writer

    yield make
    for writer in writers:
        writer.stop(60)


@pytest.fixture
def record(make_writer: MakeWriter) -> Record:
    """Makes recorders that share a writer; arguments are those of CallFacts, all with defaults."""
    writer = make_writer()

    def make(**facts: object) -> CallRecorder:
        return CallRecorder(make_facts(**facts), writer)

    return make


def make_facts(**changes: object) -> CallFacts:
    """The facts of an ordinary call, but for `changes`."""
    facts: dict[str, object] = {
        "id": f"call_{next(_numbers):026}",
        "key": "ci",
        "team": "payments",
        "session": "session-1",
        "model": "claude-test",
        "dialect": "anthropic",
        "path": "/messages",
        "streamed": True,
        "request_headers": [("user-agent", "tests")],
        "request_body": b'{"model":"claude-test","messages":[{"role":"user","content":"hello"}]}',
        "snapshot": 7,
    }
    return CallFacts(**(facts | changes))  # type: ignore[arg-type]
