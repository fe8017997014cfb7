"""Amounts of money, spans of time and moments as people type them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import inf
from typing import NamedTuple


class BadQuantity(ValueError):
    """It cannot be read; the message says what can."""


class Span(NamedTuple):
    """What a number has to be within; the two ends count where it says so."""

    low: float = -inf
    high: float = inf
    with_low: bool = True
    with_high: bool = True


_BOUND = re.compile(r"(>=|<=|>|<)?(.+)", re.DOTALL)
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,9})?|\.\d{1,9}", re.ASCII)
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?|\.\d{1,6})(ms|s|m|h)", re.ASCII)
_AGO = re.compile(r"(\d{1,4})(m|h|d|w)", re.ASCII)
_MS = {"ms": 1.0, "s": 1_000.0, "m": 60_000.0, "h": 3_600_000.0}
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_cost(text: str) -> Span:
    """Dollars as microdollars. Raises BadQuantity."""
    return _span(text, _dollars)


def read_latency(text: str) -> Span:
    """A time with its unit as milliseconds. Raises BadQuantity."""
    return _span(text, _milliseconds)


def read_number(text: str) -> int:
    """A whole number of three digits. Raises BadQuantity."""
    if not re.fullmatch(r"\d{3}", text, re.ASCII):
        raise BadQuantity("A status has three digits, as in status:429.")
    return int(text)


def read_time(text: str, now: datetime) -> datetime:
    """A day, a moment, or how long ago. What names no zone is UTC. Raises BadQuantity."""
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadQuantity(
            "A time is a day (2026-11-01), a moment (2026-11-01T09:30) or how long ago (90m, 2h, 7d)."
        ) from None


def _span(text: str, read: Callable[[str], float]) -> Span:
    low, dots, high = text.partition("..")
    if dots:
        span = Span(read(low) if low else -inf, read(high) if high else inf)
        if span.low > span.high:
            raise BadQuantity("The first of the two has to be the smaller one.")
        return span
    match = _BOUND.fullmatch(text)
    assert match is not None  # a value has at least one character
    sign, value = match[1], read(match[2])
    if sign is None:
        return Span(value, value)
    return Span(low=value, with_low=sign == ">=") if ">" in sign else Span(high=value, with_high=sign == "<=")


def _dollars(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise BadQuantity("A cost is in dollars: cost:>0.1, cost:<=2, cost:0.1..0.5.")
    return round(float(text) * 1_000_000, 3)


def _milliseconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise BadQuantity("A latency has a unit: latency:>2s, latency:<=500ms, latency:1m..5m.")
    return float(match[1]) * _MS[match[2]]
