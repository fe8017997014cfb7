from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from observability.models import CallRecord, Process
from observability.recording.recorder import CallRecorder, RecordUnavailable
from observability.recording.writer import Writer
from observability.recovery.orphans import Orphans
from observability.rows.database import Database
from observability.rows.process import Ownership
from policies.content import ToolCall
from tests.observability.conftest import MakeWriter, make_facts
from tests.observability.weather import verify

LEFT_OPEN = """
import asyncio, sys
import django
django.setup()
from observability.recording.recorder import CallFacts, CallRecorder
from policies.content import ToolCall

async def main():
    call = CallRecorder(CallFacts("call_dead", "k", "t", "s", "m", "anthropic", "/", True, [], b"{}", 1))
    call.open()
    await call.opened()
    await call.checkpoint([ToolCall("toolu_1", "Bash", "{}")])
    print("released", flush=True)
    sys.stdin.read()

asyncio.run(main())
"""


def die_in_mid_call() -> None:
    """A gateway process that is killed once a tool call is released."""
    child = subprocess.Popen(
        [sys.executable, "-c", LEFT_OPEN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "DATABASE_URL": database_url()},
        cwd=Path(__file__).parents[3],
    )
    assert child.stdout is not None and child.stdin is not None
    said = child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert said == b"released\n"


def database_url() -> str:
    """The test database, as a process finds it in its environment."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)


def test_a_call_of_a_killed_process_is_closed_as_interrupted(make_writer: MakeWriter) -> None:
    die_in_mid_call()
    writer = make_writer(find_orphans=True)
    assert writer.stop(10)
    row = CallRecord.objects.get(pk="call_dead")
    assert (row.outcome, row.error_kind, row.boot_id) == ("interrupted", "interrupted", writer.boot_id)
    assert [block.tool_name for block in row.blocks.all()] == ["Bash"]
    assert verify(writer.boot_id) == 1


async def test_a_call_of_a_living_process_is_left_alone(make_writer: MakeWriter) -> None:
    call = CallRecorder(make_facts(id="call_live"), make_writer())
    call.open()
    await call.opened()
    # The parent of the tests is surely alive.
    await Process.objects.aupdate(pid=os.getppid())
    theirs = make_writer(find_orphans=True)
    other = CallRecorder(make_facts(), theirs)
    await other.close("finished", 200)
    again = CallRecorder(make_facts(), theirs)
    await again.close("finished", 200)
    assert (await CallRecord.objects.aget(pk="call_live")).outcome == "open"


def orphan(heartbeat_age: float, host: str = "elsewhere") -> None:
    at = timezone.now() - timedelta(seconds=heartbeat_age)
    Process.objects.create(boot_id="boot_other", host=host, pid=os.getppid(), started_at=at, heartbeat_at=at)
    CallRecord.objects.create(
        id="call_x", streamed=True, started_at=at, snapshot=1, process="boot_other", nonces=bytes(64)
    )


@pytest.mark.parametrize(("watched", "beats", "own_age", "dead"), [
    (21, False, 60, True), (21, True, 60, False), (15, False, 60, False), (21, False, 1, False),
])  # fmt: skip
@pytest.mark.parametrize("clocks_differ_by", [0, 3600, -3600])
def test_a_process_elsewhere_is_dead_when_it_was_silent_while_we_looked_on(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    watched: float,
    beats: bool,
    own_age: float,
    dead: bool,
    clocks_differ_by: float,
) -> None:
    orphan(clocks_differ_by)
    now = [1000.0]
    monkeypatch.setattr("observability.recovery.orphans.time.monotonic", lambda: now[0])
    monkeypatch.setattr(Ownership, "age", own_age)
    orphans = Orphans(database, Ownership(database), lambda boot_id: False)
    assert orphans._dead_owners() == []
    now[0] += watched
    if beats:
        Process.objects.update(heartbeat_at=timezone.now())
    assert orphans._dead_owners() == (["boot_other"] if dead else [])
    assert (Process.objects.get().ended_at is not None) == dead


def test_of_whom_a_journal_is_on_its_way_nothing_is_closed(database: Database) -> None:
    orphan(0)
    Process.objects.update(ended_at=timezone.now())
    assert Orphans(database, Ownership(database), lambda boot_id: True)._dead_owners() == []
    assert Orphans(database, Ownership(database), lambda boot_id: False)._dead_owners() == ["boot_other"]


async def test_who_was_taken_for_dead_releases_nothing_more(
    make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = make_writer()
    call = CallRecorder(make_facts(id="call_x"), writer)
    call.open()
    await call.opened()
    first = writer.boot_id
    monkeypatch.setattr("observability.rows.process.HEARTBEAT_SECONDS", 0.0)
    await Process.objects.aupdate(ended_at=timezone.now())
    with pytest.raises(RecordUnavailable):
        await call.checkpoint([ToolCall("a", "Bash", "{}")])
    with pytest.raises(RecordUnavailable):
        await call.close("finished", 200)
    fresh = CallRecorder(make_facts(id="call_y"), writer)
    fresh.open()
    await fresh.opened()
    await fresh.close("finished", 200)
    assert writer.boot_id != first
    assert [row.outcome async for row in CallRecord.objects.order_by("id")] == ["open", "finished"]


async def test_a_process_that_leaves_in_good_order_says_so(make_writer: MakeWriter) -> None:
    writer: Writer = make_writer()
    await CallRecorder(make_facts(), writer).close("finished", 200)
    assert await sync_to_async(writer.stop)(60)
    assert (await Process.objects.aget()).ended_at is not None
