"""Policies that failed where their activation lets traffic through, as every page tells it for the last day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from urllib.parse import urlencode

from django.db.models import Count, Max
from django.urls import reverse
from django.utils import timezone

from observability.models import Decision
from observability.queries import Teams

from .seldom import Seldom

PERIOD = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class FailOpen:
    """`calls` is how many calls `policy` should have judged and did not, `last` when the newest of them began."""

    policy: str
    calls: int
    last: datetime

    @property
    def url(self) -> str:
        """Where these calls are listed."""
        return f"{reverse('calls')}?{urlencode({'policy': self.policy, 'action': 'failed_open'})}"


Row = tuple[str, str, int, datetime]
"""Policy, team, calls, the last of them."""


class Recent:
    """The fail-opens of PERIOD, which pages may be shown a little late; none waits for them."""

    def __init__(self, look: Callable[[], Sequence[Row]] | None = None, clock: Callable[[], float] = monotonic) -> None:
        self._rows: Seldom[Sequence[Row]] = Seldom(look or _look, clock, meanwhile=())

    def of(self, teams: Teams) -> list[FailOpen]:
        """Those in the calls of `teams` (None: all), newest first, each policy once."""
        found: dict[str, FailOpen] = {}
        # The newest of a policy is the last of its rows.
        for policy, team, calls, last in self._rows.value():
            if teams is None or team in teams:
                before = found.get(policy)
                found[policy] = FailOpen(policy, calls + (before.calls if before else 0), last)
        return sorted(found.values(), key=lambda each: each.last, reverse=True)


def _look() -> list[Row]:
    unjudged = Decision.objects.filter(
        action="failed_open", mode="enforce", call__started_at__gte=timezone.now() - PERIOD
    )
    counted = unjudged.values("policy", "call__team").annotate(
        calls=Count("call_id", distinct=True), last=Max("call__started_at")
    )
    return list(counted.order_by("last").values_list("policy", "call__team", "calls", "last"))


_recent = Recent()


def recent(teams: Teams) -> list[FailOpen]:
    """The fail-opens of the last day in the calls of `teams`, newest first, each policy once."""
    return _recent.of(teams)
