"""What is told of calls: the same event, live and from the record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from observability.activity import events
from observability.activity.events import Event, Subject, of_record

STARTED = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
SUBJECT = Subject.of("call_1", "payments", "ci", "ses_1", "fast", STARTED)
CALL: dict[str, Any] = {
    **{"id": "call_1", "team": "payments", "key": "ci", "session": "ses_1", "model": "fast", "started_at": STARTED},
    **{"path": "/messages?beta=true", "streamed": True, "outcome": "blocked", "status": 200, "cost_microdollars": 7},
    **{"upstream_head_ms": 5.0, "first_event_ms": 6.0, "total_ms": 20.0, "input_tokens": 3, "output_tokens": None},
    **{"changed_request": False, "changed_response": True},
    "attempts": [
        {"provider": "first", "model": "a", "status": None, "error": "away", "ms": 1.0},
        {"provider": "second", "model": "b", "status": 200, "error": "", "ms": 9.0},
    ],
}
DECISION: dict[str, Any] = {
    **{"position": 0, "policy": "no-shell", "version": 3, "mode": "enforce", "hook": "on_tool_call", "late": False},
    **{"block": "toolu_1", "action": "block", "reason": "recursive delete", "at_ms": 8.0, "took_ms": 0.25},
}
BLOCK: dict[str, Any] = {"position": 0, "kind": "tool_call", "tool_name": "Bash", "released_at_ms": 9.5}


def told(call: dict[str, Any]) -> list[Event]:
    return list(of_record(call, [BLOCK], [DECISION]))


def test_a_record_tells_a_call_in_the_order_in_which_it_happened() -> None:
    assert [event["kind"] for event in told(CALL)] == [
        *("request_received", "request_sent", "request_sent", "answer_received", "answer_sent"),
        *("verdict", "final_block", "finished"),
    ]


def test_what_is_told_live_has_the_same_id_on_record() -> None:
    live = [
        events.request_received(SUBJECT, "/messages", True, 40),
        events.request_sent(SUBJECT, 1.0, 0, CALL["attempts"][0]),
        events.request_sent(SUBJECT, 2.0, 1, CALL["attempts"][1]),
        events.answer_received(SUBJECT, 5.0, 1, CALL["attempts"][1]),
        events.answer_sent(SUBJECT, 5.5, 200),
        events.verdict(SUBJECT, DECISION),
        events.final_block(SUBJECT, BLOCK),
        events.finished(SUBJECT, CALL),
    ]
    assert [event["id"] for event in live] == [event["id"] for event in told(CALL)]
    assert {event["call"] for event in live} == {"call_1"}


def test_an_open_call_has_no_end_and_no_attempts_yet() -> None:
    assert [event["kind"] for event in told({**CALL, "outcome": "open"})] == [
        "request_received",
        "verdict",
        "final_block",
    ]


def test_a_call_that_was_never_answered_tells_no_answer() -> None:
    kinds = [event["kind"] for event in told({**CALL, "attempts": [], "status": None, "total_ms": None})]
    assert kinds == ["request_received", "verdict", "final_block", "finished"]


def test_summaries_say_what_was_decided_and_how_it_ended() -> None:
    summaries = {event["kind"]: event["summary"] for event in told(CALL)}
    assert summaries["verdict"] == "blocked toolu_1: recursive delete"
    assert summaries["finished"] == "blocked after 20 ms; tokens: 3 in, unknown out"
    assert summaries["request_received"] == "/messages, streamed"
    assert events.verdict(SUBJECT, {**DECISION, "action": "not_reached", "reason": ""})["summary"] == (
        "not reached toolu_1"
    )
    assert events.request_received(SUBJECT, "/messages", False, 40)["summary"] == "/messages, whole, 40 bytes"
    assert events.original_block(SUBJECT, 1.0, 0, "text", "", 12)["summary"] == "text, 12 characters"


def test_without_words_a_verdict_says_what_was_decided_and_not_why() -> None:
    shown = [events.without_words(event) for event in told(CALL)]
    assert [event["summary"] for event in shown if event["kind"] == "verdict"] == ["blocked toolu_1"]
    assert [event for event in shown if event["kind"] != "verdict"] == [
        event for event in told(CALL) if event["kind"] != "verdict"
    ]


def test_times_are_microseconds_since_1970() -> None:
    verdict = next(event for event in told(CALL) if event["kind"] == "verdict")
    assert events.moment(verdict["at"]) == datetime(2026, 11, 21, 10, 0, 0, 8_000, tzinfo=UTC)


def test_names_and_summaries_are_bounded() -> None:
    subject = Subject.of("call_1", "t" * 1_000, "k", "s", "m\0", STARTED)
    event = events.verdict(subject, {**DECISION, "reason": "r" * 5_000})
    assert (len(event["team"]), len(event["summary"]), event["model"]) == (300, events.SUMMARY, "m\ufffd")
