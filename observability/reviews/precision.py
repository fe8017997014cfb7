"""How often a policy was right where it raised an alarm, as far as people labelled its verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count

from observability.queries import Teams

from .models import Label, Review


@dataclass(frozen=True, slots=True)
class Precision:
    """Labelled verdicts of a policy, or of one version of it. `missed` are those that let something pass."""

    true: int = 0
    false: int = 0
    missed: int = 0
    fine: int = 0

    @property
    def alarms(self) -> int:
        return self.true + self.false

    @property
    def share(self) -> float | None:
        """Of the alarms that were labelled, how many were true, in percent; None where none was."""
        return 100 * self.true / self.alarms if self.alarms else None

    @property
    def labels(self) -> int:
        return self.alarms + self.missed + self.fine


@dataclass(frozen=True, slots=True)
class Labelled:
    """All of a policy, and each of its versions that has labels, the newest first."""

    total: Precision
    versions: list[tuple[int, Precision]]


def of_policy(name: str, teams: Teams) -> Labelled:
    """The labels on verdicts of the policy, in calls of `teams`."""
    reviews = Review.objects.filter(policy=name, position__gte=0)
    if teams is not None:
        reviews = reviews.filter(team__in=list(teams))
    counts: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for version, label, number in reviews.values_list("version", "label").annotate(number=Count("*")).order_by():
        counts[version][label] = number
    versions = [(version, _precision([counts[version]])) for version in sorted(counts, reverse=True)]
    return Labelled(_precision(counts.values()), versions)


def _precision(counts: Iterable[dict[str, int]]) -> Precision:
    counts = list(counts)
    labels = (Label.TRUE_ALARM, Label.FALSE_ALARM, Label.MISSED, Label.FINE)
    return Precision(*(sum(each.get(label, 0) for each in counts) for label in labels))
