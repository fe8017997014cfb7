"""How often each policy decided what lately, and how long that took: for the pages of policies.

A decision has no time of its own by which it could be found. So the calls of a period are walked by their index and
their decisions counted, an hour a query; a period of more than MOST_CALLS calls is cut to the newest of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.db.models import Count, Exists, Max, OuterRef, QuerySet, Sum
from django.utils import timezone

from observability.models import AuditEvent, CallRecord, Decision
from observability.presentation import action_tone
from observability.queries import Teams, visible_calls

from .seldom import Seldom

PERIOD = timedelta(hours=24)
STEP = timedelta(hours=1)
MOST_CALLS = 20_000
STOPPING = ("block", "stop", "refuse", "failed_closed")
"""What kept something from passing."""
_BODIES = ("call__opening_bodies", "call__closing_bodies")


@dataclass(frozen=True, slots=True)
class Row:
    """Decisions of one kind in the calls that began within the STEP at `at`. `took` and `slowest` are milliseconds."""

    at: datetime
    team: str
    policy: str
    version: int
    mode: str
    action: str
    number: int
    took: float
    slowest: float


@dataclass(frozen=True, slots=True)
class Tally:
    """Decisions counted by what they meant for what was judged, their tone; `slowest` and `mean` are milliseconds."""

    allowed: int = 0
    changed: int = 0
    blocked: int = 0
    failed: int = 0
    idle: int = 0
    took: float = 0.0
    slowest: float = 0.0

    @property
    def judged(self) -> int:
        """Verdicts that were reached."""
        return self.allowed + self.changed + self.blocked + self.failed

    @property
    def mean(self) -> float:
        return self.took / self.judged if self.judged else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Rows of the calls since `since`. `cut` says that there were more calls, and that only the newest are counted."""

    since: datetime
    cut: bool
    rows: tuple[Row, ...]

    def where(self, keep: Callable[[Row], bool]) -> Figures:
        return Figures(self.since, self.cut, tuple(row for row in self.rows if keep(row)))

    def of_policy(self, name: str) -> Figures:
        return self.where(lambda row: row.policy == name)

    @property
    def total(self) -> Tally:
        return tally(self.rows)

    @property
    def hours(self) -> list[tuple[datetime, Tally]]:
        """Each STEP of the period, also those in which nothing happened."""
        return [(at, tally(row for row in self.rows if row.at == at)) for at in _steps(self.since, timezone.now())]

    @property
    def actions(self) -> list[tuple[str, int]]:
        """How often each action was decided, the most frequent first."""
        numbers: dict[str, int] = {}
        for row in self.rows:
            numbers[row.action] = numbers.get(row.action, 0) + row.number
        return sorted(numbers.items(), key=lambda item: (-item[1], item[0]))


def tally(rows: Iterable[Row]) -> Tally:
    """`rows` added up."""
    numbers = dict.fromkeys(("allowed", "changed", "blocked", "failed", "idle"), 0)
    took = slowest = 0.0
    for row in rows:
        numbers[action_tone(row.action)] += row.number
        took += row.took
        slowest = max(slowest, row.slowest)
    return Tally(**numbers, took=took, slowest=slowest)


def figures(teams: Teams) -> Figures:
    """Those of the calls of `teams` in the last PERIOD; as old as looking them up took, times twenty."""
    known = _recent.value()
    return known if teams is None else known.where(lambda row: row.team in teams)


def last_stopped(policy: str, teams: Teams, since: datetime, limit: int) -> list[Decision]:
    """What `policy` kept from passing in calls since `since`, the newest calls first, with their calls; one a call."""
    stopping = Decision.objects.filter(policy=policy, action__in=STOPPING)
    calls = visible_calls(teams).filter(Exists(stopping.filter(call_id=OuterRef("pk"))), started_at__gte=since)
    newest = list(calls.order_by("-started_at", "-id").values_list("pk", flat=True)[:limit])
    found: dict[str, Decision] = {}
    for decision in stopping.filter(call_id__in=newest).select_related("call").defer(*_BODIES).order_by("position"):
        found.setdefault(decision.call_id, decision)
    return [found[id] for id in newest]


def audit_trail(subject: str, limit: int) -> QuerySet[AuditEvent]:
    """The last changes by people to the policy `subject`, newest first."""
    events = AuditEvent.objects.filter(subject=subject, action__startswith="policy.")
    return events.order_by("-at", "-id")[:limit]


def _look() -> Figures:
    now = timezone.now()
    since, cut = now - PERIOD, False
    begun = CallRecord.objects.order_by("-started_at", "-id").values_list("started_at", flat=True)
    oldest = begun[MOST_CALLS : MOST_CALLS + 1].first()
    if oldest is not None and oldest >= since:
        since, cut = oldest, True
    edges = [*_steps(since, now), None]
    return Figures(since, cut, tuple(row for step in pairwise(edges) for row in _count(since, *step)))


def _count(since: datetime, begin: datetime | None, end: datetime | None) -> Iterator[Row]:
    assert begin is not None
    judged = Decision.objects.exclude(hook="ask").filter(call__started_at__gte=max(begin, since))
    if end is not None:
        judged = judged.filter(call__started_at__lt=end)
    names = ("call__team", "policy", "version", "mode", "action")
    counted = judged.order_by().values(*names).annotate(number=Count("*"), took=Sum("took_ms"), slowest=Max("took_ms"))
    for row in counted.values_list(*names, "number", "took", "slowest"):
        yield Row(begin, *row)


def _steps(since: datetime, until: datetime) -> list[datetime]:
    first = since.replace(minute=0, second=0, microsecond=0)
    return [first + STEP * step for step in range(int((until - first) / STEP) + 1)]


_recent = Seldom(_look)
