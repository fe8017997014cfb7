from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async

from observability import metrics
from observability.models import CallRecord
from observability.recording.recorder import CallRecorder, RecordUnavailable
from tests.observability.conftest import MakeWriter, make_facts
from tests.observability.weather import Weather, verify, whole_call


async def outcomes() -> dict[str, str]:
    return {row.pk: row.outcome async for row in CallRecord.objects.order_by("pk")}


async def test_with_the_database_away_calls_go_on_and_all_of_it_is_on_record_in_the_end(
    make_writer: MakeWriter, weather: Weather
) -> None:
    writer = make_writer(database=weather)
    before = CallRecorder(make_facts(id="call_before"), writer)
    before.open()
    await before.opened()
    weather.away = True
    await before.close("finished", 200)
    await asyncio.gather(*(whole_call(CallRecorder(make_facts(id=f"call_{n:03}"), writer)) for n in range(50)))
    assert writer.healthy
    assert await outcomes() == {"call_before": "open"}
    weather.away = False
    await whole_call(CallRecorder(make_facts(id="call_last"), writer))
    assert await sync_to_async(writer.stop)(60)
    assert set((await outcomes()).values()) == {"finished"}
    assert await sync_to_async(verify)(writer.boot_id) == 52


async def test_what_a_process_left_on_disk_is_brought_home_before_its_calls_are_closed(
    make_writer: MakeWriter, weather: Weather
) -> None:
    dead = make_writer(database=weather)
    finished, open_ = (CallRecorder(make_facts(id=name), dead) for name in ("call_finished", "call_open"))
    for call in (finished, open_):
        call.open()
        await call.opened()
    weather.away = True
    await finished.close("finished", 200)
    unseen = CallRecorder(make_facts(id="call_unseen"), dead)
    await whole_call(unseen)
    assert await sync_to_async(dead.stop)(60), "what is on disk is safe"
    weather.away = False
    await CallRecord.objects.filter(pk="call_open").aupdate(process="boot_gone")
    heir = make_writer(find_orphans=True)
    await whole_call(CallRecorder(make_facts(id="call_zlast"), heir))
    assert await sync_to_async(heir.stop)(60)
    assert await outcomes() == {
        "call_finished": "finished",
        "call_open": "interrupted",
        "call_unseen": "finished",
        "call_zlast": "finished",
    }
    assert await sync_to_async(verify)(dead.boot_id) == 2


async def test_when_the_disk_is_full_too_no_call_begins_and_none_is_lost(
    make_writer: MakeWriter, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.recovery.journal.LAID_OUT", 4096)
    writer = make_writer(database=weather, spill_bytes=60_000)
    weather.away = True
    begun = []
    with pytest.raises(RecordUnavailable):
        for number in range(1000):
            call = CallRecorder(make_facts(id=f"call_{number:03}"), writer)
            call.open()
            await call.opened()
            begun.append(call)
    assert not writer.healthy
    for call in begun:
        call.close_soon("refused", 503)
    weather.away = False
    assert await sync_to_async(writer.stop)(60)
    found = await outcomes()
    assert len(begun) > 5
    assert all(found[f"call_{number:03}"] == "refused" for number in range(len(begun)))
    assert await sync_to_async(verify)(writer.boot_id) == len(begun)


async def test_async_goes_on_unrecorded_when_there_is_no_room_and_says_how_often(
    make_writer: MakeWriter, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.recording.inbox.MOST_ENTRIES", -1)
    counted = metrics.calls_unrecorded._value.get()
    writer = make_writer("async", database=weather)
    await whole_call(CallRecorder(make_facts(), writer))
    assert metrics.calls_unrecorded._value.get() == counted + 1
    assert await sync_to_async(writer.stop)(60)
    assert await outcomes() == {}


async def test_a_row_that_the_database_refuses_later_costs_no_other(make_writer: MakeWriter, weather: Weather) -> None:
    writer = make_writer(database=weather)
    weather.away = True
    for name in ("call_a", "call_poison", "call_z"):
        call = CallRecorder(make_facts(id=name, request_headers=[]), writer)
        call.open()
        await call.close("finished", 200)
    weather.refuses = "call_poison"
    weather.away = False
    assert await sync_to_async(writer.stop)(60)
    assert await outcomes() == {"call_a": "finished", "call_z": "finished"}
