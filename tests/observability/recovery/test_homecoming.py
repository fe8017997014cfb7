from __future__ import annotations

from pathlib import Path

from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from observability.models import AuditEvent, CallRecord, ChainHead, Process
from observability.recording.recorder import CallRecorder
from observability.recording.writer import Writer
from observability.recovery.journal import Abandoned
from observability.sealing.keys import public_key
from observability.sealing.tombstones import Range, read
from policies.content import ToolCall
from tests.observability.conftest import MakeWriter, make_facts
from tests.observability.weather import Weather, verify, whole_call


async def dead_during_an_outage(make_writer: MakeWriter, weather: Weather) -> Writer:
    """Two calls are open when the database goes; one ends, one releases a tool call, and the process dies."""
    dead = make_writer(database=weather)
    ended, cut = (CallRecorder(make_facts(id=name), dead) for name in ("call_ended", "call_cut"))
    for call in (ended, cut):
        call.open()
        await call.opened()
    weather.away = True
    await ended.checkpoint([ToolCall("toolu_1", "Bash", "{}")])
    await ended.close("finished", 200)
    await cut.checkpoint([ToolCall("toolu_2", "Bash", "{}")])
    assert await sync_to_async(dead.stop)(60)
    await Process.objects.aupdate(ended_at=timezone.now())
    return dead


async def test_what_a_journal_says_of_a_call_corrects_who_took_it_for_interrupted(
    make_writer: MakeWriter, weather: Weather, tmp_path: Path
) -> None:
    dead = await dead_during_an_outage(make_writer, weather)
    # On another machine, which cannot see the journal.
    (tmp_path / "spill").rename(tmp_path / "far")
    elsewhere = make_writer(find_orphans=True)
    assert await sync_to_async(elsewhere.stop)(60)
    assert {row.outcome async for row in CallRecord.objects.all()} == {"interrupted"}
    (tmp_path / "spill").rmdir()
    (tmp_path / "far").rename(tmp_path / "spill")
    heir = make_writer(find_orphans=True)
    await whole_call(CallRecorder(make_facts(id="call_new"), heir))
    assert await sync_to_async(heir.stop)(60)
    rows = {row.pk: row async for row in CallRecord.objects.all()}
    assert {name: row.outcome for name, row in rows.items()} == {
        "call_ended": "finished",
        "call_cut": "interrupted",
        "call_new": "finished",
    }
    assert [block.tool_call_id async for block in rows["call_cut"].blocks.all()] == ["toolu_2"]
    assert rows["call_ended"].boot_id == dead.boot_id
    assert await sync_to_async(verify)(dead.boot_id) == 1
    assert await sync_to_async(verify)(heir.boot_id) == 2
    event = await AuditEvent.objects.aget()
    assert event.action == "record.corrected"
    tombstone = read(event.commits)
    assert tombstone is not None
    kind, gaps, key = tombstone
    assert (kind, key) == ("removed", public_key())
    assert sorted(gap[:3] for gap in gaps) == [(elsewhere.boot_id, 1, 1), (elsewhere.boot_id, 2, 2)]
    assert all(isinstance(gap, Range) for gap in gaps)
    head = await ChainHead.objects.aget(name=dead.boot_id)
    assert (head.sequence, head.settled) == (1, True)


async def test_a_journal_may_be_brought_home_twice(make_writer: MakeWriter, weather: Weather, tmp_path: Path) -> None:
    dead = await dead_during_an_outage(make_writer, weather)
    (left,) = (tmp_path / "spill").iterdir()
    copy = left.read_bytes()
    for _ in range(2):
        left.write_bytes(copy)
        heir = make_writer(find_orphans=True)
        assert await sync_to_async(heir.stop)(60)
        assert list(Abandoned.all_in(tmp_path / "spill")) == []
    assert await sync_to_async(verify)(dead.boot_id) == await sync_to_async(verify)(heir.boot_id) == 1
    outcomes = {row.pk: row.outcome async for row in CallRecord.objects.all()}
    assert outcomes == {"call_ended": "finished", "call_cut": "interrupted"}


async def test_a_row_that_the_database_refuses_costs_no_other(
    make_writer: MakeWriter, weather: Weather, tmp_path: Path
) -> None:
    dead = make_writer(database=weather)
    weather.away = True
    for name in ("call_a", "call_poison", "call_z"):
        await CallRecorder(make_facts(id=name), dead).close("finished", 200)
    assert await sync_to_async(dead.stop)(60)
    await sync_to_async(forbid)("call_poison")
    try:
        heir = make_writer(find_orphans=True)
        assert await sync_to_async(heir.stop)(60)
        assert {row.pk async for row in CallRecord.objects.all()} == {"call_a", "call_z"}
    finally:
        await sync_to_async(forbid)("")


def forbid(id: str) -> None:
    """Let the database refuse calls of that id; of none, if it is empty."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS forbidden")
            if id:
                cursor.execute(
                    f"CREATE TRIGGER forbidden BEFORE INSERT ON observability_callrecord WHEN NEW.id = '{id}' "
                    "BEGIN SELECT RAISE(ABORT, 'forbidden'); END"
                )
        else:
            cursor.execute("ALTER TABLE observability_callrecord DROP CONSTRAINT IF EXISTS forbidden")
            if id:
                cursor.execute(f"ALTER TABLE observability_callrecord ADD CONSTRAINT forbidden CHECK (id <> '{id}')")
