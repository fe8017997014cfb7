"""Events for viewers: who sees what, made once for all who see the same."""

from __future__ import annotations

from typing import Any

import orjson

from observability.activity.batches import Batch, Message, Shown, View
from observability.activity.events import finished, request_received, verdict
from observability.activity.filters import Filter
from tests.observability.activity.test_events import CALL, DECISION, SUBJECT

BEGUN, DECIDED, OVER = request_received(SUBJECT, "/", True), verdict(SUBJECT, DECISION), finished(SUBJECT, CALL)
EVENTS = [BEGUN, DECIDED, OVER]


def view(teams: set[str] | None = None, bodies: bool = True, **wanted: Any) -> View:
    return View(None if teams is None else frozenset(teams), bodies, Filter(**wanted))


def test_viewers_who_see_the_same_share_what_is_made_for_them() -> None:
    batch = Batch(EVENTS)
    assert batch.shown(view()) is batch.shown(view())
    assert batch.shown(view()) is not batch.shown(view(bodies=False))


def test_a_viewer_sees_events_of_its_teams_that_match_and_no_others() -> None:
    assert view({"payments"}).of(EVENTS) == EVENTS
    assert view({"research"}).of(EVENTS) == []
    assert view(kind="verdict").of(EVENTS) == [DECIDED]


def test_a_filter_finds_no_words_that_are_hidden() -> None:
    assert view(text="recursive").of(EVENTS) == [DECIDED]
    assert view(text="recursive", bodies=False).of(EVENTS) == []


def test_a_message_is_json_with_its_events_in_order() -> None:
    message = Message(3, "2-1", [Shown([BEGUN]), Shown([]), Shown([DECIDED, OVER])], missed=7)
    said = {"seq": 3, "cursor": "2-1", "missed": 7, "recent": False, "events": EVENTS}
    assert orjson.loads(message.json()) == said
    assert orjson.loads(Message(1, "2-1", recent=True).json())["events"] == []


def test_frames_are_named_by_kind_and_the_last_one_says_how_far_they_go() -> None:
    *frames, rest = Message(1, "2-1", [Shown(EVENTS)], missed=7).frames().decode().split("\n\n")
    assert [frame.split("\n")[0] for frame in frames] == [
        *("event: request_received", "event: verdict", "event: finished", "event: missed")
    ]
    assert orjson.loads(frames[0].partition("data: ")[2]) == BEGUN
    assert [frame.endswith("\nid: 2-1") for frame in frames] == [False, False, False, True] and rest == ""
    assert Message(1, "2-1").frames() == b": nothing new\n\n"
