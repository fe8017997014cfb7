"""How long the record is kept, as a configuration file says it and as one is exported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.config_file.errors import Path
from gateway.config_file.shape import RetentionEntry
from observability.retention.kinds import Kind
from observability.retention.models import RetentionPeriod
from observability.retention.periods import set_period

Period = tuple[Kind, str]
"""A kind of record and the team whose it is; without a team that of all which have no period of their own."""


def wanted(entry: RetentionEntry) -> Iterator[tuple[Path, Period, int]]:
    """Where in the file each period stands, which one it is, and its days."""
    for kind in Kind:
        periods = getattr(entry, kind)
        if periods.days is not None:
            yield ("retention", kind, "days"), (kind, ""), periods.days
        for team, days in getattr(periods, "teams", {}).items():
            yield ("retention", kind, "teams", team), (kind, team), days


def stored() -> dict[Period, int]:
    """The periods that somebody set."""
    rows = RetentionPeriod.objects.values_list("kind", "team", "days")
    return {(Kind(kind), team): days for kind, team, days in rows}


def put(period: Period, days: int | None, *, actor: str) -> str:
    """Set a period, or with None take it back; says what that changed, or nothing."""
    kind, team = period
    if not set_period(kind, days, team=team, actor=actor):
        return ""
    return f"retention of {kind}{team and f' of {team}'} {'taken back' if days is None else f'set to {days} days'}"


def exported() -> dict[str, Any]:
    """What was set, as the section of a file has it."""
    section: dict[str, dict[str, Any]] = {}
    for (kind, team), days in sorted(stored().items()):
        entry = section.setdefault(kind.value, {})
        if team:
            entry.setdefault("teams", {})[team] = days
        else:
            entry["days"] = days
    return section
