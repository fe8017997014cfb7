"""What a process tells: nothing until somebody watches, then in batches whose numbers show what is missing."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from observability.activity import publisher as module
from observability.activity.events import answer_sent
from observability.activity.publisher import Publisher
from tests.observability.activity.test_events import SUBJECT


class Call:
    subject = SUBJECT

    def __init__(self, is_real: bool = True) -> None:
        self.is_real = is_real


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is announced."""
    announced: list[dict[str, Any]] = []

    async def announce(group: str, message: dict[str, Any]) -> None:
        assert group == module.EVENTS
        announced.append(orjson.loads(message["batch"]))

    monkeypatch.setattr(module, "announce", announce)
    monkeypatch.setattr(module, "EVERY", 0.001)
    return announced


async def sent(made: Publisher) -> None:
    assert made._sending is not None
    await made._sending


async def test_what_comes_together_leaves_together(batches: list[dict[str, Any]]) -> None:
    made = Publisher()
    for status in (200, 404):
        made.publish(answer_sent, Call(), 1.0, status)
    await sent(made)
    made.publish(answer_sent, Call(), 1.0, 500)
    await sent(made)
    assert [[event["status"] for event in batch["events"]] for batch in batches] == [[200, 404], [500]]
    assert [batch["first"] for batch in batches] == [0, 2]


async def test_what_there_is_no_room_for_leaves_a_gap_in_the_numbers(
    batches: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    made = Publisher()
    for status in (200, 201, 202, 203, 204):
        made.publish(answer_sent, Call(), 1.0, status)
    await sent(made)
    assert [(batch["first"], len(batch["events"])) for batch in batches] == [(3, 2)]


async def test_what_only_looks_like_a_call_is_not_told(batches: list[dict[str, Any]]) -> None:
    made = Publisher()
    made.publish(answer_sent, Call(is_real=False), 1.0, 200)
    assert made._sending is None


async def test_a_channel_layer_that_is_away_costs_a_gap_and_no_more(
    batches: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    announce = module.announce

    async def away(group: str, message: dict[str, Any]) -> None:
        raise ConnectionError

    made = Publisher()
    monkeypatch.setattr(module, "announce", away)
    made.publish(answer_sent, Call(), 1.0, 200)
    await sent(made)
    assert made.failing
    monkeypatch.setattr(module, "announce", announce)
    made.publish(answer_sent, Call(), 1.0, 201)
    await sent(made)
    assert [batch["first"] for batch in batches] == [1] and not made.failing


async def test_what_happened_while_it_took_nobody_to_watch_leaves_a_gap_in_the_numbers(
    batches: list[dict[str, Any]],
) -> None:
    made = Publisher()
    made.here(viewers=True)
    for status in (200, 201):
        made.publish(answer_sent, Call(), 1.0, status)
        await sent(made)
        made.here(viewers=True)
    made.here(viewers=False)
    made.here(viewers=True)
    made.publish(answer_sent, Call(), 1.0, 202)
    await sent(made)
    first, second, third = (batch["first"] for batch in batches)
    assert (second - first, third - second) == (1, 2)


async def test_it_is_watched_as_long_as_somebody_watches_here_or_said_so_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(module, "monotonic", lambda: now)
    made = Publisher()
    assert not made.watched
    made.here(viewers=True)
    assert made.watched
    made.elsewhere()
    made.here(viewers=False)
    assert made.watched
    now += module.WATCHED_FOR
    made.look()
    assert not made.watched
    await asyncio.sleep(0)
