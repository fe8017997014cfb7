"""Which calls have to be read from the record, and up to when everything was told."""

from __future__ import annotations

import pytest

from observability.activity import under_way as module
from observability.activity.cursors import Cursor
from observability.activity.events import Event, Subject, answer_sent, finished, request_received, verdict
from observability.activity.under_way import UnderWay
from tests.observability.activity.test_events import CALL, DECISION

LATE = 1_000_000


def subject(call: str, started: int = 100) -> Subject:
    return Subject(call, "team", "key", "session", "model", started)


def begun(call: str) -> Event:
    return request_received(subject(call), "/", True)


def answered(call: str) -> Event:
    return answer_sent(subject(call), 1.0, 200)


def over(call: str) -> Event:
    return finished(subject(call), CALL)


def test_a_call_heard_from_its_beginning_to_its_end_is_never_read() -> None:
    calls = UnderWay()
    assert [calls.hear(event) for event in (begun("a"), answered("a"), over("a"))] == [False] * 3
    assert (calls.calls, calls.is_waited_for, calls.to_read({"a"})) == ({"a": 100}, False, [])
    calls.looked({"a"})
    calls.hear(over("a"))
    calls.meet("a", 100)
    assert calls.calls == {}


@pytest.mark.parametrize("before", [[], [answered("a")]], ids=["of which only the end was heard", "met in the middle"])
def test_a_call_without_its_beginning_is_read_until_its_record_is_closed(before: list[Event]) -> None:
    calls = UnderWay()
    assert [calls.hear(event) for event in before] == [False] * len(before)
    assert calls.hear(over("a"))
    calls.looked(set())
    assert (calls.to_read(set()), calls.is_waited_for) == (["a"], True)
    calls.looked({"a"})
    assert (calls.to_read({"b"}), calls.is_waited_for) == (["b"], False)


def test_the_beginning_is_enough_and_the_record_may_know_an_earlier_one() -> None:
    calls = UnderWay()
    calls.meet("a", 50)
    assert calls.to_read(set()) == ["a"]
    calls.hear(begun("a"))
    assert calls.to_read(set()) == []
    calls.hear(answered("b"))
    calls.meet("b", 100)
    assert calls.calls == {"a": 100, "b": 100}


def test_a_verdict_that_came_too_late_makes_no_call_open() -> None:
    calls = UnderWay()
    calls.hear(verdict(subject("a"), {**DECISION, "late": True}))
    assert calls.calls == {}


def test_whoever_asks_gets_a_call_read_once_its_record_is_closed() -> None:
    calls = UnderWay()
    calls.hear(begun("heard"))
    calls.forgo("over")
    calls.ask({"heard": 100, "unheard": 70, "over": 60})
    assert calls.calls == {"heard": 100, "unheard": 70}
    assert calls.to_read(set()) == ["unheard"]
    assert calls.hear(over("heard"))
    assert calls.to_read({"heard"}) == ["unheard", "heard"]


def test_an_end_that_was_not_heard_is_read() -> None:
    calls = UnderWay()
    calls.hear(begun("a"))
    assert calls.to_read({"a"}) == ["a"]


def test_in_doubt_all_is_looked_at_again_also_what_ends_in_the_same_batch() -> None:
    calls = UnderWay()
    calls.forgo("over")
    calls.hear(begun("a"))
    calls.doubt()
    assert calls.hear(over("a"))
    calls.meet("over", 1)
    assert set(calls.to_read(set())) == {"a", "over"}


def test_nobody_is_told_to_stand_behind_what_has_yet_to_be_read() -> None:
    calls = UnderWay()
    assert calls.cursor(LATE) == Cursor(LATE, LATE)
    calls.hear(begun("heard"))
    calls.hear(over("heard"))
    assert calls.cursor(LATE) == Cursor(LATE, 100)
    calls.ask({"heard": 100})
    assert calls.cursor(LATE) == Cursor(over("heard")["at"], 100)
    calls.looked({"heard"})
    assert calls.cursor(LATE) == Cursor(LATE, LATE)


def test_a_record_that_never_closes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 1)
    calls = UnderWay()
    calls.hear(over("a"))
    calls.looked(set())
    assert calls.is_waited_for
    calls.looked(set())
    assert (calls.is_waited_for, calls.calls) == (False, {})


def test_of_too_many_that_have_ended_those_that_were_heard_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ENDED", 2)
    calls = UnderWay()
    calls.hear(over("met half-way"))
    calls.hear(begun("heard"))
    calls.hear(over("heard"))
    calls.hear(over("too"))
    assert calls.calls.keys() == {"met half-way", "too"}
    calls.hear(over("and this"))
    assert calls.calls.keys() == {"too", "and this"}
