"""Filters by which a report's values become what people read."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template

from observability.presentation import visible

from .record_format import NOTHING, dollars, ms

register = template.Library()


@register.filter
def moment(value: str | datetime) -> str:
    """A time, or its ISO 8601 text, to the second."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


@register.filter
def shown(value: object, kind: str) -> str:
    """A cell of a report; what clients and models wrote has nothing hidden in it, and still has to be escaped."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, int | float):
        return _number(value, kind)
    return visible(str(value))


def _number(value: float, kind: str) -> str:
    if kind == "dollars":
        return dollars(round(value))
    if kind == "ms":
        return ms(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}".rstrip("0").rstrip(".")
