from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import get_args

import pytest

from gateway.notifications.messages import EVENTS, TEST, About, body, event_id, event_of, trial
from observability.rows.batch import NOTABLE
from policies.verdicts import Action

ABOUT = About(
    call="call_1",
    position=3,
    key="ci",
    team="payments",
    session="s",
    model="claude-x",
    policy="no-deletes",
    version=2,
    mode="enforce",
    hook="on_tool_call",
    target="toolu_1",
    action="block",
    reason="recursive delete",
    late=False,
    at=datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC),
)
ACTIONS = (*get_args(Action), "failed_open", "failed_closed", "not_reached", "dropped", "asked", "ask_failed")


@pytest.mark.parametrize(
    ("mode", "hook", "action", "event"),
    [
        ("enforce", "on_tool_call", "block", "blocked"),
        ("enforce", "on_text", "stop", "blocked"),
        ("enforce", "on_request", "refuse", "refused"),
        ("enforce", "on_request", "failed_open", "failed_open"),
        ("enforce", "on_request", "failed_closed", "failed_closed"),
        ("enforce", "on_end", "failed_closed", ""),
        ("enforce", "on_text", "replace", ""),
        ("shadow", "on_text", "block", "would_block"),
        ("shadow", "on_text", "failed_open", ""),
        ("shadow", "on_text", "allow", ""),
    ],
)
def test_what_is_told_of_which_decision(mode: str, hook: str, action: str, event: str) -> None:
    assert event_of(mode, hook, action) == event


def test_all_that_is_told_stands_in_the_outbox_and_every_event_can_happen() -> None:
    told = {action: {event_of(mode, "on_text", action) for mode in ("enforce", "shadow")} - {""} for action in ACTIONS}
    assert {action for action, events in told.items() if events} == NOTABLE
    assert set.union(*told.values()) == set(EVENTS)


def test_a_message_says_who_what_and_why() -> None:
    said = json.loads(body("evt_1", "blocked", ABOUT, "https://luthien.example/calls/call_1/"))
    assert said == {
        "id": "evt_1",
        "event": "blocked",
        "at": "2026-11-21T10:00:00.123Z",
        "call": {
            "id": "call_1",
            "key": "ci",
            "team": "payments",
            "session": "s",
            "model": "claude-x",
            "link": "https://luthien.example/calls/call_1/",
        },
        "decision": {
            "position": 3,
            "policy": "no-deletes",
            "version": 2,
            "mode": "enforce",
            "hook": "on_tool_call",
            "target": "toolu_1",
            "action": "block",
            "reason": "recursive delete",
            "late": False,
        },
    }


def test_an_events_id_is_of_its_decision() -> None:
    assert event_id("call_1", 3) == event_id("call_1", 3)
    assert len({event_id("call_1", 3), event_id("call_1", 4), event_id("call_2", 3)}) == 3


def test_a_test_says_that_it_is_one() -> None:
    said = json.loads(trial("evt_test_1", ABOUT.at, "https://luthien.example/notifications/"))
    assert said["event"] == TEST
