"""Which kinds of record have a period of their own, and its bounds. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

MOST_DAYS = 36_500


class Kind(StrEnum):
    CALLS = "calls"
    AUDIT = "audit"


class Bounds(NamedTuple):
    """In days: what holds where nobody says otherwise, and the least that may be said."""

    default: int
    least: int
    by_team: bool


BOUNDS = {
    # Half a year, which is what laws on AI systems ask of logs.
    Kind.CALLS: Bounds(183, 1, by_team=True),
    # Who did what to the record has to outlive the record.
    Kind.AUDIT: Bounds(730, 365, by_team=False),
}
