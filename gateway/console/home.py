"""What the home page shows: the last day, and what is in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from observability.figures import policy_figures
from observability.figures.overview import FAILED, Counts, Overview
from observability.figures.policy_figures import Tally
from observability.search.language import quoted
from observability.templatetags.record_format import count, dollars, ms
from policies.active import Scope
from policies.models import Activation

LAST_CALLS = 5
MOST_COUNTED = 100
"""Of what waits for review."""
SHOWN = 5
SCALE = 1000
_FAILED = f"outcome:{','.join(FAILED)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the day; `url` leads to the calls that it is about."""

    label: str
    said: str
    url: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """What a team or a model cost; `width` is of a bar that is SCALE wide for the dearest."""

    name: str
    counts: Counts
    width: int
    url: str


@dataclass(frozen=True, slots=True)
class Busy:
    """A policy that stopped, changed or failed to judge something on this day."""

    name: str
    tally: Tally


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


def figures(day: Overview) -> list[Figure]:
    """The tiles at the top."""
    total = day.total
    return [
        Figure("calls", count(total.calls), _calls("")),
        Figure("blocked", count(total.blocked), _calls("outcome:blocked"), "blocked" if total.blocked else ""),
        Figure("changed", count(total.changed), _calls("changed:yes"), "changed" if total.changed else ""),
        Figure("failed", count(total.failed), _calls(_FAILED), "failed" if total.failed else ""),
        Figure("cost", dollars(total.cost), _calls("cost:>0")),
        Figure("median time", ms(day.latency(50)), _calls("")),
        Figure("95 of 100 within", ms(day.latency(95)), _slow(day.latency(95))),
    ]


def shares(name: str, counts: Sequence[tuple[str, Counts]]) -> list[Share]:
    """The dearest teams or models; `name` is the filter that finds their calls."""
    dearest = max((each.cost for _, each in counts), default=0)
    return [
        Share(
            value,
            each,
            round(each.cost / dearest * SCALE) if dearest else 0,
            _calls(f"{name}:{quoted(value)}" if value else ""),
        )
        for value, each in counts[:SHOWN]
    ]


def busy(day: policy_figures.Figures) -> list[Busy]:
    """The policies that did most, those that only allowed left out."""
    tallies = [Busy(name, day.of_policy(name).total) for name in {row.policy for row in day.rows}]
    active = [each for each in tallies if _done(each)]
    return sorted(active, key=lambda each: (-_done(each), each.name))[:SHOWN]


def _done(each: Busy) -> int:
    return each.tally.blocked + each.tally.changed + each.tally.failed


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


def _slow(latency: float | None) -> str:
    return _calls(f"latency:>{latency:.0f}ms" if latency else "")


def _calls(query: str) -> str:
    """Where the calls of the day that match are listed."""
    return f"{reverse('calls')}?{urlencode({'q': f'{query} after:1d'.strip()})}"
