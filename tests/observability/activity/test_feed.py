"""What a process passes on to its viewers, from batches and from the record, each event once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from observability.activity import feed as module
from observability.activity import history
from observability.activity.batches import Batch
from observability.activity.events import Event, finished, request_received, verdict
from observability.activity.feed import Feed
from observability.activity.history import Seen
from observability.activity.publisher import publisher
from tests.observability.activity.test_events import CALL, DECISION, STARTED, SUBJECT

BEGUN, DECIDED, OVER = request_received(SUBJECT, "/", True), verdict(SUBJECT, DECISION), finished(SUBJECT, CALL)


class Viewer:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.completed: dict[str, list[Event]] = {}
        self.ended = False
        self.wanted = 0
        self.has_all, self.has_whole = asyncio.Event(), asyncio.Event()

    def offer(self, batch: Batch) -> None:
        self.events += batch.events
        if len(self.events) == self.wanted:
            self.has_all.set()

    def complete(self, call: str, whole: Batch) -> None:
        self.completed[call] = list(whole.events)
        self.has_whole.set()

    def end(self) -> None:
        self.ended = True


class Record:
    """A database of one call, which tells how often it was looked at."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.looks = 0

    async def read(self, look: Any, *args: Any) -> Any:
        name = look.__name__
        seen = [Seen("call_1", STARTED, OVER not in self.events)] if self.events else []
        if name == "since":
            self.looks += 1
            return seen
        if name == "finished_of":
            return [call.id for call in seen if not call.is_open and call.id in args[0]]
        return list(self.events) if name == "events_of" else []


@pytest.fixture
def heard() -> asyncio.Queue[dict[str, Any]]:
    return asyncio.Queue()


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch, heard: asyncio.Queue[dict[str, Any]], settings: Any) -> Record:
    made = Record()

    async def channel(group: str, tried: asyncio.Event) -> AsyncIterator[dict[str, Any]]:
        tried.set()
        while True:
            batch = await heard.get()
            yield {"batch": orjson.dumps(batch)}
            heard.task_done()

    monkeypatch.setattr(module, "heard", channel)
    monkeypatch.setattr(history, "read", made.read)
    monkeypatch.setattr(module, "LOOK_EVERY", 3600)
    settings.REDIS_URL = ""
    return made


def batch(first: int, *events: Event) -> dict[str, Any]:
    return {"boot": "b", "first": first, "events": list(events)}


async def test_a_batch_reaches_every_viewer_once(record: Record, heard: asyncio.Queue[dict[str, Any]]) -> None:
    feed, viewers = Feed(), [Viewer(), Viewer()]
    for viewer in viewers:
        await feed.join(viewer)
    assert publisher.watched
    for first in (0, 1):
        heard.put_nowait(batch(first, BEGUN))
    await heard.join()
    assert [viewer.events for viewer in viewers] == [[BEGUN]] * 2
    assert feed.open_calls() == {"call_1": BEGUN["at"]}
    assert feed.cursor().oldest == min(BEGUN["at"], feed.cursor().told)
    heard.put_nowait(batch(2, OVER))
    await heard.join()
    record.events = [BEGUN, OVER]
    await feed._look()
    assert feed.open_calls() == {}
    assert [viewer.events for viewer in viewers] == [[BEGUN, OVER]] * 2
    feed.end()
    assert all(viewer.ended for viewer in viewers)
    for viewer in viewers:
        feed.leave(viewer)
    assert not publisher.watched


async def test_a_gap_in_the_numbers_is_filled_from_the_record(
    record: Record, heard: asyncio.Queue[dict[str, Any]]
) -> None:
    feed, viewer = Feed(), Viewer()
    await feed.join(viewer)
    heard.put_nowait(batch(0, BEGUN))
    await heard.join()
    record.events = [BEGUN, DECIDED, OVER]
    viewer.wanted = 3
    heard.put_nowait(batch(5))
    await viewer.has_all.wait()
    assert viewer.events == [BEGUN, DECIDED, OVER]
    feed.leave(viewer)


async def test_what_other_processes_put_on_record_is_found_there(record: Record) -> None:
    feed, viewer = Feed(), Viewer()
    await feed.join(viewer)
    record.events = [BEGUN]
    await feed._look()
    assert viewer.events == [BEGUN]
    record.events = [BEGUN, DECIDED, OVER]
    await feed._look()
    await feed._look()
    assert viewer.events == [BEGUN, DECIDED, OVER]
    feed.leave(viewer)


@pytest.mark.parametrize(
    ("before", "told"),
    [([], [OVER, BEGUN, DECIDED]), ([BEGUN], [BEGUN, OVER, DECIDED])],
    ids=["only its end was heard", "it was open at the first look"],
)
async def test_a_call_that_was_met_half_way_is_told_whole_once_its_record_is_closed(
    record: Record, heard: asyncio.Queue[dict[str, Any]], before: list[Event], told: list[Event]
) -> None:
    record.events = before
    feed, viewer = Feed(), Viewer()
    await feed.join(viewer)
    heard.put_nowait(batch(0, OVER))
    await heard.join()
    await feed._look()
    record.events = [BEGUN, DECIDED, OVER]
    await feed._look()
    assert viewer.events == told
    feed.leave(viewer)


async def test_the_end_of_a_call_that_somebody_met_half_way_is_a_reason_to_look(
    record: Record, heard: asyncio.Queue[dict[str, Any]]
) -> None:
    feed, viewer = Feed(), Viewer()
    await feed.join(viewer)
    heard.put_nowait(batch(0, BEGUN, DECIDED))
    await heard.join()
    feed.ask(feed.open_calls())
    record.events = [BEGUN, DECIDED, OVER]
    heard.put_nowait(batch(2, OVER))
    await viewer.has_whole.wait()
    assert viewer.completed == {"call_1": [BEGUN, DECIDED, OVER]}
    feed.leave(viewer)


async def test_who_joins_is_waited_for_until_the_others_were_told_and_the_record_was_looked_at_after_that(
    monkeypatch: pytest.MonkeyPatch, settings: Any, record: Record
) -> None:
    listening, subscribed, told = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def channel(group: str, tried: asyncio.Event) -> AsyncIterator[dict[str, Any]]:
        listening.set()
        await subscribed.wait()
        tried.set()
        await asyncio.Event().wait()
        yield {}

    async def announce(*_: Any) -> None:
        assert subscribed.is_set()
        told.set()

    settings.REDIS_URL = "redis://there"
    monkeypatch.setattr(module, "heard", channel)
    monkeypatch.setattr(module, "announce", announce)
    monkeypatch.setattr(module, "LISTENS_WITHIN", 3600)
    feed, viewer = Feed(), Viewer()
    joining = asyncio.create_task(feed.join(viewer))
    await listening.wait()
    assert record.looks == 0 and not told.is_set()
    subscribed.set()
    await joining
    assert record.looks == 1 and told.is_set()
    feed.leave(viewer)


async def test_a_channel_layer_that_does_not_answer_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, settings: Any, record: Record
) -> None:
    async def silent(group: str, tried: asyncio.Event) -> AsyncIterator[dict[str, Any]]:
        await asyncio.Event().wait()
        yield {}

    settings.REDIS_URL = "redis://there"
    monkeypatch.setattr(module, "heard", silent)
    monkeypatch.setattr(module, "LISTENS_WITHIN", 0)
    feed, viewer = Feed(), Viewer()
    await asyncio.wait_for(feed.join(viewer), 20)
    feed.leave(viewer)


async def test_what_was_over_before_the_first_viewer_came_does_not_happen_again(record: Record) -> None:
    record.events = [BEGUN, OVER]
    feed, viewer = Feed(), Viewer()
    await feed.join(viewer)
    await feed._look()
    assert viewer.events == []
    feed.leave(viewer)


async def test_a_record_that_cannot_be_read_keeps_nobody_waiting(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(look: Any, *args: Any) -> Any:
        raise OSError

    monkeypatch.setattr(history, "read", away)
    feed, viewer = Feed(), Viewer()
    await asyncio.wait_for(feed.join(viewer), 20)
    feed.leave(viewer)


async def test_it_ends_where_a_library_takes_being_cancelled_for_a_lost_connection(
    monkeypatch: pytest.MonkeyPatch, settings: Any, record: Record, heard: asyncio.Queue[dict[str, Any]]
) -> None:
    waiting = asyncio.Event()

    async def announce(*_: Any) -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError from None

    settings.REDIS_URL = "redis://there"
    monkeypatch.setattr(module, "announce", announce)
    monkeypatch.setattr(module, "WATCHED_FOR", 0.0)
    monkeypatch.setattr(module, "LISTENS_WITHIN", 0)
    feed, viewer = Feed(), Viewer()
    await feed.join(viewer)
    await waiting.wait()
    tasks = list(feed._tasks)
    feed.leave(viewer)
    assert await asyncio.wait(tasks, timeout=10) == (set(tasks), set())
