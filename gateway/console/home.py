"""What the home page shows of today."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from observability import queries
from observability.models import Outcome
from observability.queries import Teams
from policies.active import Scope
from policies.models import Activation

LAST_CALLS = 5
FAILED = (Outcome.UPSTREAM_ERROR, Outcome.CUT, Outcome.STALLED, Outcome.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of calls; `url` leads to where such calls are listed."""

    label: str
    count: int
    url: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class InForce:
    """An activation as the home page says it."""

    name: str
    version: int
    mode: str
    order: int
    percent: int
    fails_open: bool
    scope: Scope
    everywhere: bool


def today(teams: Teams) -> list[Figure]:
    """How many calls there were since midnight (UTC), and what became of them."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    changed = Q(changed_request=True) | Q(changed_response=True)
    counts = (
        queries.visible_calls(teams)
        .filter(started_at__gte=midnight)
        .aggregate(
            calls=Count("pk"),
            blocked=Count("pk", filter=Q(outcome=Outcome.BLOCKED)),
            changed=Count("pk", filter=changed),
            failed=Count("pk", filter=Q(outcome__in=FAILED)),
        )
    )
    return [
        Figure("calls today", counts["calls"], _calls()),
        Figure("blocked", counts["blocked"], _calls(outcome=Outcome.BLOCKED), "blocked"),
        Figure("changed", counts["changed"], _calls(changed="1"), "changed"),
        Figure("failed", counts["failed"], _calls(outcome=Outcome.UPSTREAM_ERROR), "failed"),
    ]


def in_force() -> list[InForce]:
    """The activations in force, in the order in which they judge."""
    return [
        InForce(
            name=row.policy.name,
            version=row.version.number,
            mode=row.mode,
            order=row.order,
            percent=row.percent,
            fails_open=row.on_failure == "open",
            scope=row.terms.scope,
            everywhere=row.terms.scope == Scope(),
        )
        for row in Activation.in_force()
    ]


def _calls(**filters: str) -> str:
    query = urlencode(filters)
    return reverse("calls") + (f"?{query}" if query else "")
