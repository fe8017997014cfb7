from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf

import pytest

from observability.search.quantities import BadQuantity, Span, read_cost, read_latency, read_number, read_time

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_costs_are_dollars_and_become_microdollars() -> None:
    assert read_cost("0.1") == Span(100_000, 100_000)
    assert read_cost(">=.5") == Span(low=500_000)
    assert read_cost("<2") == Span(high=2_000_000, with_high=False)
    assert read_cost("<=2") == Span(high=2_000_000)
    assert read_cost("1..2") == Span(1_000_000, 2_000_000)
    assert (read_cost("1.."), read_cost("..1")) == (Span(1_000_000, inf), Span(-inf, 1_000_000))


def test_latencies_have_units_and_become_milliseconds() -> None:
    assert read_latency(">1.5s") == Span(low=1500, with_low=False)
    assert [read_latency(text).low for text in ("20ms", "2m", "1h")] == [20, 120_000, 3_600_000]


def test_times_are_days_moments_or_how_long_ago() -> None:
    assert read_time("2026-11-01", NOW) == datetime(2026, 11, 1, tzinfo=UTC)
    assert read_time("2026-11-01T09:30+02:00", NOW) == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    for text, ago in [("90m", timedelta(minutes=90)), ("2h", timedelta(hours=2)), ("3w", timedelta(weeks=3))]:
        assert read_time(text, NOW) == NOW - ago


def test_a_status_is_a_number() -> None:
    assert read_number("429") == 429


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_cost, "x"), (read_cost, ">"), (read_cost, "2..1"), (read_cost, "-1"), (read_cost, "9" * 40),
        (read_latency, "2"), (read_latency, "s"), (read_latency, "\N{SUPERSCRIPT TWO}s"), (read_number, "99"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_so(read: object, text: str) -> None:
    with pytest.raises(BadQuantity):
        read(text)  # type: ignore[operator]


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00+14:00", "99999w"])
def test_a_time_that_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises(BadQuantity):
        read_time(text, NOW)
