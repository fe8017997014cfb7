"""After how many days what goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from observability import audit
from observability.text import clean_name

from .kinds import BOUNDS, MOST_DAYS, Kind
from .models import RetentionPeriod

SUBJECT = "retention"


@dataclass(frozen=True, slots=True)
class Periods:
    """Those of one kind: `days` for everybody, and for teams that have their own."""

    kind: Kind
    days: int
    teams: dict[str, int]

    def cutoffs(self, now: datetime) -> Iterator[tuple[str | None, datetime]]:
        """Per team, and with None for all others: what is older than this goes."""
        for team, days in self.teams.items():
            yield team, now - timedelta(days=days)
        yield None, now - timedelta(days=self.days)


def periods(kind: Kind) -> Periods:
    """What holds now."""
    stored = dict(RetentionPeriod.objects.filter(kind=kind).values_list("team", "days"))
    return Periods(kind, stored.pop("", BOUNDS[kind].default), stored)


@transaction.atomic
def set_period(kind: Kind, days: int | None, *, team: str = "", actor: str) -> bool:
    """Keep `kind` for `days`; None takes the period back. Returns whether that changed anything.

    Raises ValidationError, which blames `days` or `team`.
    """
    bounds, team = BOUNDS[kind], clean_name(team).strip()
    if team and not bounds.by_team:
        raise ValidationError({"team": f"The period of {kind} is one for all teams."})
    if days is not None and not bounds.least <= days <= MOST_DAYS:
        raise ValidationError({"days": f"From {bounds.least} to {MOST_DAYS} days."})
    stored = RetentionPeriod.objects.filter(kind=kind, team=team)
    before = stored.values_list("days", flat=True).first()
    if before == days:
        return False
    if days is None:
        stored.delete()
    else:
        RetentionPeriod.objects.update_or_create(kind=kind, team=team, defaults={"days": days})
    detail = {"kind": kind, "team": team, "days": days, "before": before}
    audit.record(actor=actor, action="retention.changed", subject=SUBJECT, detail=detail)
    return True
