"""A day at a glance, for the home page: calls, what became of them, what they cost, how long they took.

The calls of the day are counted by their index, an hour a query, and what was found is shared by all who look. Of more
than MOST_CALLS the newest are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from typing import TypeVar

from django.db.models import Count, Q, Sum
from django.utils import timezone

from observability.models import CallRecord, Outcome
from observability.queries import Teams

from .seldom import Seldom

Key = TypeVar("Key")
PERIOD = timedelta(hours=24)
STEP = timedelta(hours=1)
MOST_CALLS = 200_000
MOST_LATENCIES = 5_000
FAILED = (Outcome.UPSTREAM_ERROR, Outcome.CUT, Outcome.STALLED, Outcome.INTERRUPTED)
_CHANGED = Q(changed_request=True) | Q(changed_response=True)


@dataclass(frozen=True, slots=True)
class Counts:
    """Calls, and how many of them were blocked, changed but not blocked, or failed; `cost` is in microdollars."""

    calls: int = 0
    blocked: int = 0
    changed: int = 0
    failed: int = 0
    cost: int = 0

    @property
    def others(self) -> int:
        return self.calls - self.blocked - self.changed - self.failed

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.calls + other.calls,
            self.blocked + other.blocked,
            self.changed + other.changed,
            self.failed + other.failed,
            self.cost + other.cost,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """The calls of one team with one model that began within the STEP at `at`."""

    at: datetime
    team: str
    model: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Overview:
    """Calls since `since`. `cut` says that there were more, and that only the newest are counted.

    `latencies` are (team, milliseconds) of the newest calls that came to an end.
    """

    since: datetime
    cut: bool
    rows: tuple[Row, ...]
    latencies: tuple[tuple[str, float], ...]

    def of_teams(self, teams: Teams) -> Overview:
        """As a reader of `teams` may see it."""
        if teams is None:
            return self
        rows = tuple(row for row in self.rows if row.team in teams)
        return Overview(self.since, self.cut, rows, tuple(each for each in self.latencies if each[0] in teams))

    @property
    def total(self) -> Counts:
        return _sum(row.counts for row in self.rows)

    @property
    def hours(self) -> list[tuple[datetime, Counts]]:
        """Each STEP, also those without a call."""
        by_hour = _grouped(self.rows, lambda row: row.at)
        return [(at, by_hour.get(at, Counts())) for at in _steps(self.since, timezone.now())]

    @property
    def teams(self) -> list[tuple[str, Counts]]:
        """What costs most first."""
        return _by_cost(_grouped(self.rows, lambda row: row.team))

    @property
    def models(self) -> list[tuple[str, Counts]]:
        """What costs most first."""
        return _by_cost(_grouped(self.rows, lambda row: row.model))

    def latency(self, percent: float) -> float | None:
        """Milliseconds within which so many percent of the newest calls came to their end; None without any."""
        times = sorted(ms for _, ms in self.latencies)
        return times[max(ceil(len(times) * percent / 100) - 1, 0)] if times else None


def overview(teams: Teams) -> Overview:
    """The last PERIOD of the calls of `teams`; as old as looking it up took, times twenty."""
    return _recent.value().of_teams(teams)


def _grouped(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, Counts]:
    found: defaultdict[Key, Counts] = defaultdict(Counts)
    for row in rows:
        found[key(row)] += row.counts
    return found


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts())


def _by_cost(counts: dict[str, Counts]) -> list[tuple[str, Counts]]:
    return sorted(counts.items(), key=lambda item: (-item[1].cost, -item[1].calls, item[0]))


def _look() -> Overview:
    now = timezone.now()
    since, cut = now - PERIOD, False
    newest = CallRecord.objects.order_by("-started_at", "-id")
    oldest = newest.values_list("started_at", flat=True)[MOST_CALLS : MOST_CALLS + 1].first()
    if oldest is not None and oldest >= since:
        since, cut = oldest, True
    edges = [*_steps(since, now), None]
    rows = tuple(row for step in pairwise(edges) for row in _count(since, *step))
    ended = newest.filter(
        started_at__gte=since, outcome__in=(Outcome.FINISHED, Outcome.BLOCKED), total_ms__isnull=False
    )
    latencies = ended.values_list("team", "total_ms")[:MOST_LATENCIES]
    return Overview(since, cut, rows, tuple((team, ms or 0.0) for team, ms in latencies))


def _count(since: datetime, begin: datetime | None, end: datetime | None) -> Iterator[Row]:
    assert begin is not None
    calls = CallRecord.objects.filter(started_at__gte=max(begin, since))
    if end is not None:
        calls = calls.filter(started_at__lt=end)
    blocked, failed = Q(outcome=Outcome.BLOCKED), Q(outcome__in=FAILED)
    counted = calls.order_by().values_list("team", "model").annotate(
        calls=Count("*"),
        blocked=Count("pk", filter=blocked),
        changed=Count("pk", filter=_CHANGED & ~blocked & ~failed),
        failed=Count("pk", filter=failed),
        cost=Sum("cost_microdollars", default=0),
    )  # fmt: skip
    for team, model, *numbers in counted:
        yield Row(begin, team, model, Counts(*numbers))


def _steps(since: datetime, until: datetime) -> list[datetime]:
    first = since.replace(minute=0, second=0, microsecond=0)
    return [first + STEP * step for step in range(int((until - first) / STEP) + 1)]


_recent = Seldom(_look)
