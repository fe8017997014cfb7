"""The periods of retention in a configuration file."""

from pathlib import Path

import pytest
import yaml

from gateway import config_file
from gateway.config_file.shape import (
    CallsEntry,
    EventsEntry,
    FallbackEntry,
    File,
    KeyEntry,
    ProviderEntry,
    RetentionEntry,
    RouteEntry,
)
from observability.models import AuditEvent
from observability.retention.kinds import Kind
from observability.retention.periods import periods, set_period
from tests.gateway.test_config_file import apply, problems

pytestmark = pytest.mark.django_db

PERIODS = """\
retention:
  calls:
    days: 90
    teams: {payments: 365, "team: b": 30}
  audit: {days: 1000}
"""


def test_periods_are_set_and_each_is_in_the_audit_as_the_pages_changes_are() -> None:
    assert apply(PERIODS).lines == (
        "retention of calls set to 90 days",
        "retention of calls of payments set to 365 days",
        "retention of calls of team: b set to 30 days",
        "retention of audit set to 1000 days",
    )
    calls = periods(Kind.CALLS)
    assert (calls.days, calls.teams, periods(Kind.AUDIT).days) == (90, {"payments": 365, "team: b": 30}, 1000)
    event = AuditEvent.objects.get(action="retention.changed", detail__contains='"payments"')
    assert (event.actor, event.subject) == ("ann", "retention")
    assert event.detail == {"kind": "calls", "team": "payments", "days": 365, "before": None}


def test_periods_applied_again_change_nothing_and_leave_no_event() -> None:
    apply(PERIODS)
    before = AuditEvent.objects.count()
    assert not apply(PERIODS)
    assert not apply("{}")
    assert AuditEvent.objects.count() == before


def test_a_section_that_is_there_is_complete_and_takes_other_periods_back() -> None:
    apply(PERIODS)
    assert apply("retention: {calls: {days: 91, teams: {payments: 365}}}").lines == (
        "retention of calls set to 91 days",
        "retention of audit taken back",
        "retention of calls of team: b taken back",
    )
    assert len(apply("retention: {}").lines) == 2
    assert (periods(Kind.CALLS).days, periods(Kind.CALLS).teams) == (183, {})


def test_periods_set_by_hand_go_through_an_export_into_an_empty_database_and_back() -> None:
    set_period(Kind.CALLS, 40, team="payments", actor="eve")
    set_period(Kind.AUDIT, 400, actor="eve")
    text = config_file.export()
    assert yaml.safe_load(text)["retention"] == {"calls": {"teams": {"payments": 40}}, "audit": {"days": 400}}
    assert not apply(text)
    apply("retention: {}")
    assert len(apply(text).lines) == 2
    assert config_file.export() == text


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("retention:", 1, "retention: input should be a valid dictionary"),
        ("retention:\n  call: {}", 2, "retention.call: unknown field; did you mean calls?"),
        ("retention:\n  calls: {day: 3}", 2, "retention.calls.day: unknown field; did you mean days?"),
        ("retention:\n  calls:\n    days: 0", 3, "retention.calls.days: input should be greater than or equal to 1"),
        ("retention:\n  calls:\n    days: 36501", 3, "less than or equal to 36500"),
        ("retention:\n  calls:\n    days: yes", 3, "retention.calls.days: input should be a number of days"),
        ("retention:\n  calls:\n    days: half", 3, "retention.calls.days: input should be a valid integer"),
        ("retention:\n  audit:\n    days: 364", 3, "audit.days: input should be greater than or equal to 365"),
        ("retention:\n  audit:\n    teams: {a: 400}", 3, "retention.audit.teams: unknown field"),
        (
            "retention:\n  calls:\n    teams:\n      a: 5\n      b: 0",
            5,
            "retention.calls.teams.b: input should be greater than or equal to 1",
        ),
        ("retention:\n  calls:\n    teams:\n      a: 5\n      ' ': 6", 5, "string should have at least 1 character"),
        ("retention:\n  calls:\n    teams:\n      a: 5\n      7: 6", 5, "retention.calls.teams.7: input should be a"),
        ("providers:\n  calls: {base_ur: x}", 2, "providers.calls.base_ur: unknown field; did you mean base_url?"),
    ],
)
def test_mistakes_are_named_with_their_line(text: str, line: int, words: str) -> None:
    assert any(found == line and words in message for found, message in problems(text)), problems(text)
    assert not AuditEvent.objects.filter(action="retention.changed").exists()


def test_a_mistake_elsewhere_leaves_the_periods_as_they_were() -> None:
    problems(PERIODS + "models: [{match: a, provider: nobody}]")
    assert periods(Kind.CALLS).days == 183


REFERENCE = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
ENTRIES = (File, ProviderEntry, RouteEntry, FallbackEntry, KeyEntry, RetentionEntry, CallsEntry, EventsEntry)


@pytest.mark.parametrize("field", sorted({field for entry in ENTRIES for field in entry.model_fields}))
def test_each_field_of_a_file_is_in_its_reference(field: str) -> None:
    rows = [line.split("|")[1] for line in REFERENCE.splitlines() if line.startswith("| `")]
    assert any(f"`{field}`" in row for row in rows)


def test_the_file_in_the_reference_can_be_applied() -> None:
    example = REFERENCE.partition("```yaml\n")[2].partition("```")[0]
    assert len(apply(example).lines) == 10
    assert not apply(example)
