"""What a backtest found, counted and picked out for its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Sum

from gateway.console.backtest.changes import CHANGES
from gateway.console.backtest.models import Backtest, BacktestCall
from observability.queries import Teams

PAGE = 50
AGAINST = {"now": "since_now", "then": "since_then"}
"""What the subject is compared with, and the column that says how it differs."""


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of change, and how many calls changed so since then, and against what is in force."""

    change: str
    title: str
    then: int
    now: int


def visible(teams: Teams) -> QuerySet[Backtest]:
    """The backtests of which somebody who sees the calls of `teams` may see all."""
    rows = Backtest.objects.select_related("job")
    if teams is None:
        return rows
    mine = set(teams)
    readable = [pk for pk, read in rows.values_list("pk", "teams") if read is not None and set(read) <= mine]
    return rows.filter(pk__in=readable)


def counted(backtest: Backtest) -> list[Row]:
    """One row for each kind of change."""
    calls = backtest.calls.filter(problem="")
    then, now = (_by(calls, column) for column in ("since_then", "since_now"))
    return [Row(change, title, then.get(change, 0), now.get(change, 0)) for change, title in CHANGES.items()]


def totals(backtest: Backtest) -> dict[str, Any]:
    """Calls, those that could not be replayed, milliseconds of both sides, and micro-dollars of judges."""
    sums = backtest.calls.aggregate(
        calls=Count("position"), now_ms=Sum("now_ms"), new_ms=Sum("new_ms"), judges=Sum("judge_microdollars")
    )
    return {**sums, "problems": backtest.calls.exclude(problem="").count()}


def chosen(backtest: Backtest, against: str, change: str) -> QuerySet[BacktestCall]:
    """The calls that changed so; all that were replayed or not where `change` is empty."""
    calls = backtest.calls.all()
    return calls.filter(**{AGAINST[against]: change}, problem="") if change else calls


def neighbours(calls: QuerySet[BacktestCall], position: int) -> tuple[int | None, int | None]:
    """The positions before and after `position` among `calls`."""
    before = calls.filter(position__lt=position).order_by("-position").values_list("position", flat=True).first()
    after = calls.filter(position__gt=position).order_by("position").values_list("position", flat=True).first()
    return before, after


def _by(calls: QuerySet[BacktestCall], column: str) -> Mapping[str, int]:
    return dict(calls.order_by().values_list(column).annotate(Count("position")))
