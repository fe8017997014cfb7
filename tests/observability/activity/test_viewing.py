from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import pytest

from observability.activity import history, viewing
from observability.activity.batches import Batch, Shown
from observability.activity.cursors import Cursor
from observability.activity.events import Subject, moment, original_block
from observability.activity.filters import Filter
from observability.activity.history import Seen
from observability.activity.viewing import ENOUGH, Viewing
from observability.viewers import Sight

SUBJECT = Subject("call", "team", "key", "session", "model", 0)


class Onward:
    """A feed whose cursor goes on by one each time that somebody asks for it."""

    def __init__(self) -> None:
        self._told = count(1)

    async def join(self, viewer: Viewing) -> None:
        pass

    def leave(self, viewer: Viewing) -> None:
        pass

    def viewers(self) -> int:
        return 0

    def open_calls(self) -> dict[str, int]:
        return {SUBJECT.call: 0}

    def ask(self, calls: Mapping[str, int]) -> None:
        self.asked = calls

    def cursor(self) -> Cursor:
        told = next(self._told)
        return Cursor(told, told)


def batch(numbers: Sequence[int]) -> Batch:
    return Batch([original_block(SUBJECT, 0.0, number, "text", "", 1) for number in numbers])


async def test_who_is_behind_goes_on_from_where_they_are_and_not_from_what_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(viewing, "feed", Onward)
    monkeypatch.setattr(viewing, "PAUSE", 0.0)
    async with Viewing(Sight(None, True), Filter()) as viewer:
        viewer.offer(batch(range(ENOUGH)))
        viewer.offer(batch([ENOUGH]))
        messages = viewer.messages()
        behind, rest = await anext(messages), await anext(messages)
        viewer.end()
        assert [message async for message in messages] == []
    assert [sum(map(len, message.pieces)) for message in (behind, rest)] == [ENOUGH, 1]
    assert behind.cursor == "1-1"
    assert rest.cursor > behind.cursor


async def test_another_filter_leaves_nothing_of_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing() -> list[Shown]:
        return []

    monkeypatch.setattr(viewing, "feed", Onward)
    monkeypatch.setattr(viewing, "PAUSE", 0.0)
    async with Viewing(Sight(None, True), Filter()) as viewer:
        monkeypatch.setattr(viewer, "_recent", nothing)
        viewer.offer(batch(range(ENOUGH)))
        viewer.only(Filter(kind="nothing"))
        messages = viewer.messages()
        anew = await anext(messages)
        viewer.offer(batch([1]))
        viewer.end()
        assert [message async for message in messages] == []
    assert anew.recent
    assert sum(map(len, anew.pieces)) == 0


async def test_who_met_a_call_half_way_is_told_all_of_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = Onward()

    async def read(look: Any, *_: Any) -> list[Any]:
        if look is history.events_of:
            assert feed.asked == {SUBJECT.call: 0}
        return []

    monkeypatch.setattr(viewing, "feed", lambda: feed)
    monkeypatch.setattr(viewing, "PAUSE", 0.0)
    monkeypatch.setattr(history, "read", read)
    async with Viewing(Sight(None, True), Filter(), recent=True) as viewer:
        messages = viewer.messages()
        assert (await anext(messages)).recent
        for call in ("unknown", SUBJECT.call, SUBJECT.call):
            viewer.complete(call, batch([1]))
        whole = await anext(messages)
        viewer.end()
        assert [message async for message in messages] == []
    assert sum(map(len, whole.pieces)) == 1


async def test_who_goes_on_from_a_cursor_is_told_all_of_calls_that_were_open_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feed, pages = Onward(), [[Seen(SUBJECT.call, moment(7), True), Seen("over", moment(8), False)], []]

    async def read(look: Any, *_: Any) -> list[Any]:
        return pages.pop(0) if look is history.after else []

    monkeypatch.setattr(viewing, "feed", lambda: feed)
    monkeypatch.setattr(viewing, "PAUSE", 0.0)
    monkeypatch.setattr(history, "read", read)
    async with Viewing(Sight(None, True), Filter(), Cursor(5, 5)) as viewer:
        messages = viewer.messages()
        page = await anext(messages)
        assert feed.asked == {SUBJECT.call: 7} and page.cursor == "5-5"
        for call in ("over", SUBJECT.call):
            viewer.complete(call, batch([1]))
        assert sum(map(len, (await anext(messages)).pieces)) == 1
