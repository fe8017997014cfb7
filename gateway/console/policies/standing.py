"""Stored policies and activations, as their pages say them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404

from gateway.console.policies.ladder import InForce
from observability.figures.policy_figures import Figures, Tally
from policies import registry, services
from policies.models import SCOPE_FIELDS, Activation, Policy, PolicyVersion, Terms
from policies.registry import InvalidConfig, NotRegistered
from policies.snapshot import problem


@dataclass(frozen=True, slots=True)
class Line:
    """A policy in the list. `trouble` says why the version in force cannot be loaded."""

    policy: Policy
    current: Activation | None
    latest: PolicyVersion | None
    trouble: str
    tally: Tally


def lines(figures: Figures) -> list[Line]:
    """Every policy: those in force first, in the order in which they judge, then the others by name."""
    current = {row.policy_id: row for row in Activation.in_force()}
    latest: dict[int, PolicyVersion] = {}
    for version in PolicyVersion.objects.select_related("policy").order_by("policy", "number"):
        latest[version.policy_id] = version
    found = [
        Line(
            policy,
            current.get(policy.pk),
            latest.get(policy.pk),
            problem(current[policy.pk].version) if policy.pk in current else "",
            figures.of_policy(policy.name).total,
        )
        for policy in Policy.objects.order_by("name")
    ]
    return sorted(found, key=lambda line: (line.current is None, line.current.order if line.current else 0))


def policy_named(name: str) -> Policy:
    """Raises Http404."""
    found: Policy | None = Policy.objects.filter(name=name).first()
    if found is None:
        raise Http404
    return found


def version_of(policy: Policy, number: int | str) -> PolicyVersion:
    """Raises Http404."""
    text = str(number)
    found: PolicyVersion | None = None
    if text.isascii() and text.isdecimal() and len(text) < 10:
        found = policy.versions.select_related("policy").filter(number=int(text)).first()
    if found is None:
        raise Http404
    return found


def in_force(row: Activation | None) -> InForce | None:
    """The terms of an activation, as the ladder takes them."""
    return as_terms(row.version, row.terms) if row else None


def as_terms(version: PolicyVersion, terms: Terms) -> InForce:
    fields = {name: getattr(terms, name) for name in Terms.__slots__}
    return InForce(version=version.number, hooks=hooks(version), **fields)


def rest(policy: Policy, terms: Terms) -> InForce | None:
    """What would serve the sessions outside of the percentage of `terms`."""
    return in_force(services.rest(terms, policy.current))


def roll_back_target(policy: Policy, current: Activation | None) -> PolicyVersion | None:
    """The version that was in force before the one that is, or that was last, if there was another."""
    last: Activation | None = current or policy.activations.first()
    if last is None:
        return None
    others = policy.activations.exclude(version=last.version_id).select_related("version__policy")
    other: Activation | None = others.first()
    return other.version if other else None


def hooks(version: PolicyVersion) -> frozenset[str]:
    """The hooks that the version has with its config; none where it cannot be loaded."""
    try:
        return registry.build(version.registered_name, version.config).hooks
    except (NotRegistered, InvalidConfig):
        return frozenset()


def terms_query(version: PolicyVersion, terms: Terms) -> str:
    """The terms as the query string of the page that asks to confirm them."""
    pairs: list[tuple[str, str]] = [("version", str(version.pk)), ("mode", terms.mode)]
    pairs += [(field, "\n".join(getattr(terms.scope, field))) for field in SCOPE_FIELDS]
    pairs += [(name, str(getattr(terms, name))) for name in ("percent", "order", "on_failure", "deadline")]
    return urlencode([*pairs, *([("redacted", "on")] if terms.redacted else [])])
