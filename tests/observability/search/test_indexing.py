from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from celery.signals import worker_ready, worker_shutdown
from django.db import DatabaseError
from django.utils import timezone

from observability.models import CallRecord, Process, SearchEntry, Worker
from observability.retention import erasure
from observability.retention.erasure import Subject
from observability.retention.signals import contents_gone
from observability.search import indexer, indexing
from observability.search.language import parse
from observability.search.listing import page_of
from tests.console.seed import answer, text, tool_use
from tests.observability.conftest import Record
from tests.observability.test_queries import add

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def found(query: str) -> list[str]:
    return [call.pk for call in page_of(parse(query, NOW)).calls]


def asked(*words: str) -> bytes:
    roles = ("user", "assistant")
    messages = [{"role": roles[place % 2], "content": word} for place, word in enumerate(words)]
    return json.dumps({"model": "m", "max_tokens": 9, "messages": messages}).encode()


async def test_what_was_asked_and_said_is_found_before_and_after_policies(record: Record) -> None:
    call = record(id="call_one", request_body=asked("lighthouse"), streamed=False)
    call.open()
    call.forwarded("p", "m", asked("harbour"))
    call.head(200, [("content-type", "application/json")])
    call.original(json.dumps(answer(text("said"), tool_use("rm -rf"))).encode())
    call.final(json.dumps(answer(text("given"))).encode())
    await call.close("blocked", 200)
    for query in (
        "lighthouse",
        "harbour",
        "said",
        "given",
        'tool:"rm -rf"',
        '"rm -rf"',
        "outcome:blocked model:claude-test",
    ):
        assert await sync_to_async(found)(query) == ["call_one"], query


async def test_a_conversation_that_began_elsewhere_is_indexed_whole_and_goes_on_with_what_is_new(
    record: Record,
) -> None:
    for number, words in enumerate((("old", "answer", "new"), ("old", "answer", "new", "more", "newest"))):
        call = record(id=f"call_{number}", request_body=asked(*words), streamed=False)
        call.open()
        await call.close("finished", 200)
    assert await sync_to_async(found)("old") == ["call_0"]
    assert await sync_to_async(found)("newest") == ["call_1"]


@pytest.mark.django_db
def test_a_call_that_is_open_is_indexed_and_again_when_it_is_over() -> None:
    add(1, outcome="open")
    assert found("outcome:open model:m") == ["call_001"]
    CallRecord.objects.update(outcome="cut")
    assert found("outcome:cut model:m") == ["call_001"]
    assert found("outcome:open model:m") == []
    assert indexing.catch_up() == 0


@pytest.mark.django_db
def test_calls_of_one_microsecond_and_one_place_are_both_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "place_of", lambda at, id: 4096)
    for number in range(3):
        add(number, started_at=NOW)
    assert indexing.catch_up() == 3
    assert set(SearchEntry.objects.values_list("number", flat=True)) == {4096, 4097, 4098}


@pytest.mark.django_db
def test_what_is_forgotten_is_found_no_more() -> None:
    add(1)
    add(2)
    assert len(found("model:m")) == 2
    CallRecord.objects.filter(pk="call_001").delete()
    assert indexing.forget(["call_001", "call_nowhere"]) == 1
    assert found("model:m") == ["call_002"]


@pytest.mark.django_db
def test_what_is_erased_is_forgotten_with_it() -> None:
    add(1)
    indexing.catch_up()
    contents_gone.send(sender=None, call_ids=["call_001"], whole=False)
    assert not SearchEntry.objects.exists()


async def test_what_is_erased_while_it_is_read_is_not_indexed(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    call = record(id="call_one", session="s", request_body=asked("lighthouse"), streamed=False)
    call.open()
    await call.close("finished", 200)
    judgements = indexing._judgements

    def erased_meanwhile(*read: Any) -> Any:
        monkeypatch.undo()
        assert sum(erasure.erase(Subject("session", "s"), actor="ada")) == 1
        return judgements(*read)

    monkeypatch.setattr(indexing, "_judgements", erased_meanwhile)
    await sync_to_async(indexing.catch_up)()
    assert not await SearchEntry.objects.aexists()
    await sync_to_async(indexing.catch_up)()
    entry = await SearchEntry.objects.aget()
    assert "lighthouse" not in entry.text


@pytest.mark.django_db
def test_a_record_that_comes_late_is_found_by_the_sweep() -> None:
    add(2, started_at=NOW)
    indexing.catch_up()
    add(1, started_at=NOW - timedelta(hours=1))
    assert indexing.catch_up() == 0
    assert found("model:m") == ["call_002"]
    assert sum(indexing.sweep()) == 1
    assert found("model:m") == ["call_002", "call_001"]


@pytest.mark.django_db
def test_the_process_that_is_there_longest_fills_the_index() -> None:
    now = timezone.now()
    assert indexer.is_first("boot_b")
    for boot_id, age, silent in [("boot_dead", 9, 60), ("boot_a", 5, 1), ("boot_b", 3, 1)]:
        beaten = now - timedelta(seconds=silent)
        Process.objects.create(
            boot_id=boot_id, host="h", pid=1, started_at=now - timedelta(minutes=age), heartbeat_at=beaten
        )
    assert indexer.is_first("boot_a")
    assert not indexer.is_first("boot_b")


@pytest.mark.django_db(transaction=True)
def test_the_thread_fills_the_index_and_outlives_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    tries, indexed = [], threading.Event()
    fill = indexing.catch_up

    def catch_up(most: int) -> int:
        tries.append(1)
        if len(tries) < 3:
            raise DatabaseError if len(tries) == 1 else ValueError
        filled = fill(most)
        indexed.set()
        return filled

    monkeypatch.setattr(indexer, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(indexing, "catch_up", catch_up)
    add(1)
    thread = indexer.of_gateway("boot_a", lambda: False)
    thread.start()
    assert indexed.wait(30)
    thread.stop()
    assert SearchEntry.objects.count() == 1


@pytest.mark.django_db
def test_a_gateway_leaves_the_index_to_the_first_worker_that_is_alive() -> None:
    add(1)
    now = timezone.now()
    for name, age, silent in [("dead", 9, 60), ("first", 5, 1), ("second", 3, 1)]:
        Worker.objects.create(
            name=name, started_at=now - timedelta(minutes=age), heartbeat_at=now - timedelta(seconds=silent)
        )
    for idle in (indexer.of_gateway("boot_a", lambda: False), indexer.of_worker("dead"), indexer.of_worker("second")):
        idle.round()
        assert not SearchEntry.objects.exists()
    indexer.of_worker("first").round()
    assert SearchEntry.objects.count() == 1


def test_a_gateway_that_serves_calls_gives_the_index_a_tenth_of_its_time_in_short_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0, 0.5, 1, 1.05, 2, 2.05, 3, 3.05])
    busy, left = iter([True, False, False]), iter([25, 12, 24, 0])
    asked: list[int] = []
    waits: list[float] = []

    def catch_up(most: int) -> int:
        asked.append(most)
        return next(left)

    monkeypatch.setattr(indexer, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(indexing, "catch_up", catch_up)
    thread = indexer.Indexer(lambda: True, lambda: next(busy))
    monkeypatch.setattr(thread._stop, "wait", waits.append)
    thread.round()
    assert asked == [25, 12, 24, 25]
    assert waits == [pytest.approx(4.5)]


@pytest.mark.django_db(transaction=True)
def test_a_worker_fills_the_index_from_its_start_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    filled = threading.Event()
    fill = indexing.catch_up

    def catch_up(most: int) -> int:
        found = fill(most)
        filled.set()
        return found

    monkeypatch.setattr(indexer, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(indexing, "catch_up", catch_up)
    add(1)
    import_module("observability.tasks")  # as Celery does
    worker_ready.send(sender=None)
    try:
        assert filled.wait(30)
    finally:
        worker_shutdown.send(sender=None)
    assert SearchEntry.objects.count() == 1
    assert not Worker.objects.exists()
