from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from observability import metrics
from policies.verdicts import Decision
from tests.observability.conftest import Record

SERIES = [
    "luthien_calls_total",
    "luthien_errors_total",
    "luthien_call_seconds",
    "luthien_overhead_seconds",
    "luthien_verdicts_total",
    "luthien_unjudged_releases_total",
    "luthien_fail_open_total",
    "luthien_record_lag_seconds",
    "luthien_record_queue",
]


def value(line: str) -> float:
    found = [text.rpartition(" ")[2] for text in metrics.render().decode().splitlines() if text.startswith(line + " ")]
    return float(found[0]) if found else 0.0


def test_every_series_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    made = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
    assert len(made) > len(SERIES)
    names = [f"`{each._name}_total" if isinstance(each, Counter) else f"`{each._name}" for each in made]
    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize("name", SERIES)
def test_every_series_is_there(name: str) -> None:
    assert f"# HELP {name}" in metrics.render().decode()


async def test_a_call_is_counted_with_its_outcome_and_its_verdicts(record: Record) -> None:
    lines = (
        'luthien_calls_total{dialect="anthropic",outcome="upstream_error"}',
        'luthien_errors_total{dialect="anthropic",kind="api_error"}',
        'luthien_verdicts_total{action="failed_open",policy="counted"}',
        'luthien_fail_open_total{policy="counted"}',
        "luthien_unjudged_releases_total",
        'luthien_call_seconds_count{dialect="anthropic"}',
    )
    before = [value(line) for line in lines]
    call = record()
    call.decide(Decision("counted", 1, "enforce", "on_text", "text 0", "failed_open"))
    await call.close("upstream_error", 502, "api_error")
    assert [value(line) - old for line, old in zip(lines, before, strict=True)] == [1, 1, 1, 1, 1, 1]


def test_a_shadow_policy_that_fails_lets_nothing_pass_unjudged() -> None:
    before = value("luthien_unjudged_releases_total")
    metrics.decided("counted", "failed_open", "shadow")
    assert value("luthien_unjudged_releases_total") == before
