"""Each report over a list of calls, or of audit events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from observability.exporters import EXPORTERS, BlockedCalls, Calls, DataAccess, PolicyActivity, PolicyChanges, Usage
from observability.exporters.base import EVENT_FILTERS, CallExporter, RecordedCall, Row, redacted

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def call(*decisions: dict[str, Any], **row: Any) -> RecordedCall:
    usual: dict[str, Any] = {
        "id": "call_1", "key": "ci", "team": "payments", "session": "s", "model": "m", "provider": "p",
        "started_at": AT, "outcome": "finished", "status": 200, "error_kind": "", "policies": "no-shell@3",
        "changed_request": False, "changed_response": True, "input_tokens": 10, "output_tokens": 20,
        "cache_read_tokens": None, "cache_write_tokens": 1, "cost_microdollars": 1500, "total_ms": 12.5,
    }  # fmt: skip
    return RecordedCall(usual | row, [], decisions)


def decision(action: str, **changes: Any) -> dict[str, Any]:
    usual = {
        "policy": "no-shell", "version": 3, "mode": "enforce", "hook": "on_tool_call", "block": "toolu_1",
        "action": action, "reason": "recursive delete", "score": 0.5, "took_ms": 2.0, "evidence": None, "late": False,
    }  # fmt: skip
    return usual | changes


def event(action: str, **changes: Any) -> dict[str, Any]:
    return {"at": AT, "actor": "ada", "action": action, "subject": "no-shell", "detail": {}} | changes


def told(exporter: Any, *items: Any) -> list[Row]:
    rows = [row for item in items for row in exporter.rows(item)] + list(exporter.last_rows())
    assert all(len(row) == len(exporter.columns) for row in rows)
    return rows


def column(exporter: Any, rows: list[Row], title: str) -> list[Any]:
    place = [each.title for each in exporter.columns].index(title)
    return [row[place] for row in rows]


def test_policy_activity_has_what_policies_did_and_not_what_they_let_pass() -> None:
    exporter = PolicyActivity()
    rows = told(exporter, call(decision("allow"), decision("block"), decision("not_reached"), decision("failed_open")))
    assert column(exporter, rows, "Decision") == ["block", "failed_open"]


def test_policy_activity_has_all_that_is_asked_for() -> None:
    judged = call(decision("allow"), decision("allow", policy="other"), decision("block"))
    allowed = PolicyActivity({"action": "allow"})
    assert column(allowed, told(allowed, judged), "Policy") == ["no-shell", "other"]
    other = PolicyActivity({"action": "allow", "policy": "other"})
    assert column(other, told(other, judged), "Policy") == ["other"]


def test_a_blocked_call_is_one_row_that_names_all_who_stopped_it() -> None:
    exporter = BlockedCalls()
    rows = told(
        exporter,
        call(
            *(decision("block"), decision("block"), decision("stop", policy="words", reason="")),
            *(decision("block", mode="shadow", policy="watching"), decision("allow", policy="calm")),
            outcome="blocked",
        ),
    )
    assert column(exporter, rows, "Policy") == ["no-shell@3, words@3"]
    assert column(exporter, rows, "Decision") == ["block, stop"]
    assert column(exporter, rows, "Reason") == ["recursive delete"]


def test_calls_have_a_row_each() -> None:
    rows = told(Calls(), call(), call(changed_request=True))
    assert column(Calls(), rows, "Request changed") == ["no", "yes"]
    assert column(Calls(), rows, "Cost") == [1500, 1500]


def test_usage_is_summed_by_day_team_key_and_model_a_day_at_a_time() -> None:
    exporter = Usage()
    asked = decision("asked", hook="ask", evidence={"cost_microdollars": 7})
    first = [*exporter.rows(call()), *exporter.rows(call(asked, decision("block"))), *exporter.rows(call(team="a"))]
    assert first == []
    (one, two) = exporter.rows(call(decision("ask_failed", hook="ask"), started_at=AT + timedelta(days=1)))
    day = datetime(2026, 3, 1, tzinfo=UTC)
    assert one == (day, "a", "ci", "m", 1, 0, 10, 20, 0, 1, 1500, 0)
    assert two == (day, "payments", "ci", "m", 2, 1, 20, 40, 0, 2, 3000, 7)
    assert [row[0] for row in exporter.last_rows()] == [day + timedelta(days=1)]
    assert list(exporter.last_rows()) == []


def test_changes_of_policies_say_who_did_what() -> None:
    rows = told(PolicyChanges(), event("policy.version_created", detail={"version": 2, "because_of": "words"}))
    assert rows == [(AT, "ada", "version created", "no-shell", "version: 2, because of: words")]


def test_access_to_data_says_who_saw_what() -> None:
    rows = told(DataAccess(), event("call.viewed", subject="call_1", detail={"shown": "page"}))
    assert rows == [(AT, "ada", "call viewed", "call_1", "shown: page")]


def test_who_may_not_see_what_was_said_sees_no_reason_and_of_evidence_what_it_cost() -> None:
    hidden = redacted(call(decision("block", evidence={"said": "words"}), decision("asked", reason="", evidence=COST)))
    assert [(each["reason"], each["evidence"]) for each in hidden.decisions] == [
        ("(redacted)", None),
        ("", {"cost_microdollars": 7}),
    ]


COST = {"cost_microdollars": 7, "model": "m"}


@pytest.mark.parametrize("exporter", EXPORTERS.values(), ids=lambda each: each.name)
def test_every_report_describes_itself(exporter: Any) -> None:
    titles = {each.title for each in exporter.columns}
    assert len(titles) == len(exporter.columns)
    assert all({chart.by, chart.of or chart.by} <= titles for chart in exporter.charts)
    assert exporter.about.endswith(".")
    assert set(exporter.accepts) <= {"team", "key", "model", "outcome", "policy", "action", *EVENT_FILTERS}
    assert issubclass(exporter, CallExporter) or exporter.actions
