from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from asgiref.sync import sync_to_async

from observability.bodies.packing import SMALL
from observability.models import Blob, CallRecord, Process
from observability.recording.recorder import CallRecorder, RecordUnavailable
from observability.rows.database import Database, DatabaseAway, DatabaseRefused
from observability.rows.statements import Statement
from policies.content import ToolCall
from tests.gateway.running import eventually
from tests.observability.conftest import MakeWriter, make_facts
from tests.observability.weather import ALLOWED, Weather, verify, whole_call


async def test_two_hundred_calls_at_once_are_all_durable_when_they_return(make_writer: MakeWriter) -> None:
    writer = make_writer()
    await asyncio.gather(*(whole_call(CallRecorder(make_facts(), writer)) for _ in range(200)))
    assert await CallRecord.objects.filter(outcome="finished").acount() == 200
    assert await sync_to_async(verify)(writer.boot_id) == 200


async def test_it_is_ready_once_others_can_see_that_it_lives(make_writer: MakeWriter, weather: Weather) -> None:
    weather.gate.clear()
    writer = make_writer(database=weather)
    assert not writer.ready
    weather.gate.set()

    async def ready() -> bool:
        return writer.ready

    await eventually(ready)
    assert await Process.objects.alive().filter(pk=writer.boot_id).aexists()


async def test_the_chain_shows_an_edit(make_writer: MakeWriter) -> None:
    writer = make_writer()
    await whole_call(CallRecorder(make_facts(id="call_x"), writer))
    await CallRecord.objects.filter(pk="call_x").aupdate(error_message="nothing to see here")
    with pytest.raises(AssertionError):
        await sync_to_async(verify)(writer.boot_id)


async def test_what_arrives_during_a_commit_is_committed_together(make_writer: MakeWriter, weather: Weather) -> None:
    writer = make_writer(database=weather)
    await whole_call(CallRecorder(make_facts(), writer))
    weather.gate.clear()
    calls = [CallRecorder(make_facts(), writer) for _ in range(20)]
    for call in calls:
        call.open()
    before = len(weather.transactions)
    weather.gate.set()
    await asyncio.gather(*(call.opened() for call in calls))
    assert len(weather.transactions) - before <= 3


async def test_nothing_returns_before_the_commit(make_writer: MakeWriter, weather: Weather) -> None:
    writer = make_writer(database=weather)
    call = CallRecorder(make_facts(), writer)
    weather.gate.clear()
    call.open()
    opened = asyncio.ensure_future(call.opened())
    await asyncio.wait([opened], timeout=0.05)
    assert not opened.done()
    weather.gate.set()
    await opened
    assert await CallRecord.objects.acount() == 1


async def test_a_call_that_is_over_at_once_is_written_once(
    make_writer: MakeWriter, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.rows.process.HEARTBEAT_SECONDS", 3600)
    writer = make_writer(database=weather)
    await whole_call(CallRecorder(make_facts(id="call_a"), writer))
    before = len(weather.transactions)
    short = CallRecorder(make_facts(id="call_b"), writer)
    short.open(soon=False)
    await short.opened()
    short.decide(ALLOWED)
    await short.close("finished", 200)
    assert len(weather.transactions) == before + 1
    assert (await CallRecord.objects.aget(pk="call_b")).outcome == "finished"
    assert await sync_to_async(verify)(writer.boot_id) == 2


async def test_an_opening_that_was_put_off_is_written_before_long_and_before_what_follows(
    make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = make_writer()
    long = CallRecorder(make_facts(id="call_long"), writer)
    long.open(soon=False)
    while not await CallRecord.objects.filter(pk="call_long").aexists():  # noqa: ASYNC110 (rare)
        await asyncio.sleep(0.005)
    monkeypatch.setattr("observability.recording.handover.OPENING_SECONDS", 3600)
    calling = CallRecorder(make_facts(id="call_tool"), writer)
    calling.open(soon=False)
    await calling.checkpoint([ToolCall("id", "Read", "{}")])
    assert (await CallRecord.objects.aget(pk="call_tool")).outcome == "open"
    for call in (long, calling):
        await call.close("finished", 200)
    assert await sync_to_async(verify)(writer.boot_id) == 2


async def test_a_whole_call_that_is_refused_with_others_is_the_only_one_lost(
    make_writer: MakeWriter, weather: Weather
) -> None:
    writer = make_writer(database=weather)
    weather.refuses = "poison"
    weather.gate.clear()
    calls = [CallRecorder(make_facts(model="poison" if n == 0 else "fine"), writer) for n in range(4)]
    opened = CallRecorder(make_facts(id="call_opened"), writer)
    opened.open()
    closes = [asyncio.ensure_future(call.close("finished", 200)) for call in (*calls, opened)]
    await asyncio.sleep(0)
    weather.gate.set()
    await asyncio.gather(*closes, return_exceptions=True)
    assert await CallRecord.objects.filter(outcome="finished").acount() == 4
    assert await sync_to_async(verify)(writer.boot_id) == 4


async def test_without_a_journal_calls_are_told_that_the_database_is_away_and_nothing_is_lost(
    make_writer: MakeWriter, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = make_writer(database=weather, spill_bytes=0)
    live = CallRecorder(make_facts(id="call_live"), writer)
    live.open()
    await live.opened()
    monkeypatch.setattr("observability.recording.waiting.PATIENCE", 0.2)
    weather.away = True
    with pytest.raises(RecordUnavailable):
        await live.checkpoint([ToolCall("id", "Bash", "{}")])
    with pytest.raises(RecordUnavailable):
        await live.close("refused", 503)
    new = CallRecorder(make_facts(id="call_new"), writer)
    new.open()
    with pytest.raises(RecordUnavailable):
        await new.opened()
    new.close_soon("refused", 503)
    weather.away = False
    monkeypatch.setattr("observability.recording.waiting.PATIENCE", 10)
    await whole_call(CallRecorder(make_facts(id="call_zlast"), writer))
    rows = [row async for row in CallRecord.objects.order_by("id")]
    assert [(row.pk, row.outcome) for row in rows] == [
        ("call_live", "refused"),
        ("call_new", "refused"),
        ("call_zlast", "finished"),
    ]
    assert await sync_to_async(verify)(writer.boot_id) == 3


async def test_an_entry_that_the_database_refuses_costs_no_other(make_writer: MakeWriter, weather: Weather) -> None:
    writer = make_writer(database=weather)
    weather.refuses = "poison"
    weather.gate.clear()
    body = b"[" + b"1," * 10_000 + b"1]"
    calls = [
        CallRecorder(make_facts(model="poison" if n == 0 else "fine", request_body=body, session=""), writer)
        for n in range(6)
    ]
    closes = [asyncio.ensure_future(call.close("finished", 200)) for call in calls]
    await asyncio.sleep(0)
    weather.gate.set()
    results = await asyncio.gather(*closes, return_exceptions=True)
    assert [isinstance(result, RecordUnavailable) for result in results] == [n == 0 for n in range(6)]
    assert await CallRecord.objects.acount() == 5
    assert await sync_to_async(verify)(writer.boot_id) == 5
    (blob,) = [blob async for blob in Blob.objects.all()]
    assert blob.size == len(body), "a blob that the refused entry brought is stored by the next"


async def test_a_commit_whose_answer_was_lost_is_repeated_without_harm(
    make_writer: MakeWriter, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = make_writer(database=weather)
    real, lost = Weather.write, iter([True])

    def write(self: Weather, statements: Sequence[Statement]) -> int:
        changed = real(self, statements)
        if any("callrecord" in sql for sql, _ in statements) and next(lost, False):
            raise DatabaseAway("the answer was lost")
        return changed

    monkeypatch.setattr(Weather, "write", write)
    for _ in range(3):
        await whole_call(CallRecorder(make_facts(), writer))
    assert await sync_to_async(writer.stop)(60)
    assert await sync_to_async(verify)(writer.boot_id) == 3


async def test_async_waits_for_nothing_and_still_writes(make_writer: MakeWriter) -> None:
    writer = make_writer("async")
    for _ in range(10):
        await whole_call(CallRecorder(make_facts(), writer))
    assert await sync_to_async(writer.stop)(60)
    assert await CallRecord.objects.filter(outcome="finished").acount() == 10


async def test_when_too_much_waits_no_call_may_begin(
    make_writer: MakeWriter, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.recording.inbox.MOST_ENTRIES", 2)
    writer = make_writer(database=weather)
    weather.gate.clear()
    calls = [CallRecorder(make_facts(), writer) for _ in range(4)]
    for call in calls[:3]:
        call.open()
    with pytest.raises(RecordUnavailable):
        calls[3].open()
    weather.gate.set()
    await asyncio.gather(*(call.opened() for call in calls[:3]))


async def test_stop_writes_what_is_queued(make_writer: MakeWriter) -> None:
    writer = make_writer()
    calls = [CallRecorder(make_facts(), writer) for _ in range(50)]
    for call in calls:
        call.close_soon("cancelled")
    assert await sync_to_async(writer.stop)(60)
    assert await CallRecord.objects.filter(outcome="cancelled").acount() == 50


async def test_large_bodies_do_not_share_a_transaction(
    make_writer: MakeWriter, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.rows.batch.BLOB_BYTES", 100)
    facts = make_facts(id="call_x", session="", request_body=random.Random(0).randbytes(SMALL))
    call = CallRecorder(facts, make_writer(database=weather))
    call.original(random.Random(1).randbytes(SMALL))
    call.final(random.Random(2).randbytes(SMALL))
    await call.close("finished", 200)
    assert sum(rows == 1 for rows in weather.transactions) >= 3, "the claim, and two bodies ahead of the rows"
    assert (await CallRecord.objects.aget(pk="call_x")).response_final is not None


NEW_HEAD = (
    "INSERT INTO observability_chainhead (name, sequence, chain, sealed, sealed_chain, settled) "
    "VALUES (?, ?, ?, 0, '', FALSE)"
)


def test_both_databases_take_the_same_statements(database: Database) -> None:
    sql = f"{NEW_HEAD} ON CONFLICT (name) DO NOTHING"
    assert database.write([(sql, [("a", 1, b"x"), ("b", 2**40, b"")])]) == 2
    found = database.read("SELECT name, sequence FROM observability_chainhead WHERE sequence > ? ORDER BY name", (0,))
    assert found == [("a", 1), ("b", 2**40)]


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(DatabaseRefused):
        database.write([(NEW_HEAD, [("a", 1, b""), ("a", 2, b"")])])
    assert database.read("SELECT name FROM observability_chainhead") == []


def test_a_table_that_is_not_there_yet_may_come(database: Database) -> None:
    with pytest.raises(DatabaseAway):
        database.write([("INSERT INTO observability_nothing (a) VALUES (?)", [(1,)])])
    with pytest.raises(DatabaseAway):
        database.read("SELECT 1 FROM observability_nothing")
