"""What hangs, fills up, breaks or jumps: the record is right, or the call is refused."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from observability.models import CallRecord
from observability.recording import writer as writers
from observability.recording.recorder import CallRecorder, RecordUnavailable
from observability.rows.database import DatabaseAway, Postgres, Sqlite, connect
from tests.observability.conftest import MakeWriter, make_facts
from tests.observability.weather import Weather, verify, whole_call


async def finished() -> int:
    return await CallRecord.objects.filter(outcome="finished").acount()


async def test_a_database_that_takes_connections_and_never_answers_makes_no_call_fail(make_writer: MakeWriter) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as void:
        writer = make_writer(database=Postgres({"host": "127.0.0.1", "port": void.getsockname()[1], "user": "nobody"}))
        for _ in range(20):
            await whole_call(CallRecorder(make_facts(), writer))
        assert writer._committer._spill.waiting > 0
    assert await sync_to_async(writer.stop)(60)


@contextmanager
def locked() -> Iterator[None]:
    """Somebody else holds what every write needs."""
    if connection.vendor == "sqlite":
        import sqlite3

        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
    else:
        import psycopg

        from observability.rows.database import postgres_options

        with psycopg.connect(**postgres_options(connection.settings_dict)) as other:
            other.execute("LOCK TABLE observability_callrecord IN ACCESS EXCLUSIVE MODE")
            yield


async def test_a_lock_that_somebody_holds_makes_no_call_fail(
    make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = connect(connection.settings_dict)
    writer = make_writer(database=database)
    await whole_call(CallRecorder(make_facts(), writer))
    # As in production, and quicker: a call waits for several of these before it is told that there is no record.
    monkeypatch.setattr("observability.recording.committer.PATIENCE", 0.3)
    monkeypatch.setattr("observability.recording.committer.REACH_SECONDS", 0.3)
    database.patience = 0.3
    with locked():
        for _ in range(5):
            await whole_call(CallRecorder(make_facts(), writer))
        assert writer._committer._spill.waiting > 0
    assert await sync_to_async(writer.stop)(60)
    again = make_writer(find_orphans=True)
    assert await sync_to_async(again.stop)(60)
    assert await finished() == 6
    assert await sync_to_async(verify)(writer.boot_id) == 6


def test_a_damaged_or_unwritable_file_is_away_and_refuses_nobodys_record_for_good(tmp_path: Path) -> None:
    path = tmp_path / "damaged.sqlite3"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(DatabaseAway):
        Sqlite(str(path)).write([("INSERT INTO a VALUES (?)", [(1,)])])
    with pytest.raises(DatabaseAway):
        Sqlite(str(tmp_path)).read("SELECT 1")


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from observability.recovery.journal import LAID_OUT, Journal, NotKept
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (LAID_OUT + 100_000, resource.RLIM_INFINITY))
journal = Journal(Path(sys.argv[1]) / "one.journal", 1 << 30)
row = [("INSERT ?", [(bytes(300_000),)])]
kept = 0
try:
    while True:
        journal.append([row], 1)
        kept += 1
except NotKept:
    assert journal.is_full
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append([row], 2)
assert not journal.is_full
assert [frame.entries for frame in journal.frames()] == [1] * kept + [2]
print(kept)
"""


def test_a_disk_that_is_full_refuses_and_keeps_what_it_has_taken(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 10, "what was laid out is there to be used"


async def test_a_call_that_is_refused_for_want_of_room_takes_none(
    make_writer: MakeWriter, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.recording.inbox.MOST_ENTRIES", -1)
    writer = make_writer(database=weather)
    for _ in range(3):
        call = CallRecorder(make_facts(), writer)
        with pytest.raises(RecordUnavailable):
            call.open()
        call.close_soon("refused", 503)
    assert writer._inbox.waiting == 0
    assert await sync_to_async(writer.stop)(60)
    assert not await CallRecord.objects.aexists()


async def test_clocks_that_jump_leave_a_chain_that_verifies(
    make_writer: MakeWriter, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    jumps = cycle([0, 3600 * 26, -3600 * 50, 90, -5])

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=next(jumps))

    for module in ("recording.recorder", "recording.handover", "recording.committer", "rows.process"):
        monkeypatch.setattr(f"observability.{module}.datetime", Jumping)
    monkeypatch.setattr("observability.rows.process.HEARTBEAT_SECONDS", 0.0)
    writer = make_writer(database=weather)
    first = writer.boot_id
    for number in range(12):
        weather.away = 4 <= number < 8
        await whole_call(CallRecorder(make_facts(), writer))
    assert await sync_to_async(writer.stop)(60)
    assert writer.boot_id == first, "nobody was taken for dead"
    assert await finished() == await sync_to_async(verify)(first) == 12


def test_a_forked_process_has_no_part_in_its_parents_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "_current", object())
    child = os.fork()
    if not child:
        os._exit(0 if writers._current is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert writers._current is not None
