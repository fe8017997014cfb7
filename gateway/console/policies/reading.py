"""The pages on which policies are looked at: the catalogue, the list, a policy, its versions, what differs."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from gateway.console.access import ACTIVATE, READ, WRITE, may, needs
from gateway.console.policies.catalogue import CATEGORY_TITLES, grouped
from gateway.console.policies.ladder import Step, steps
from gateway.console.policies.standing import (
    in_force,
    lines,
    policy_named,
    roll_back_target,
    terms_query,
    version_of,
)
from gateway.console.policies.version_diff import Row, compare, flat
from observability.figures import policy_figures
from observability.queries import Teams
from observability.reviews import precision
from observability.viewers import sees_calls, teams_of
from policies import registry
from policies.models import Activation, Policy, PolicyVersion, Terms
from policies.snapshot import problem

SHOWN = 20
LAST_STOPPED = 10
MOST_SHOWN = 500


@require_safe
@needs(READ)
def catalogue(request: HttpRequest) -> HttpResponse:
    """Every policy that can be used. `policy` names one that wants a version of another class."""
    search, category = request.GET.get("q", "").strip(), request.GET.get("category", "")
    context = {
        "groups": grouped(registry.catalogue(), search, category),
        "broken": sorted(registry.broken().items()),
        "categories": CATEGORY_TITLES,
        "search": search,
        "category": category,
        "policy": request.GET.get("policy", ""),
        "may_write": may(request, WRITE),
    }
    return render(request, "console/policies/catalogue.html", context)


@require_safe
@needs(READ)
def index(request: HttpRequest) -> HttpResponse:
    """All policies, in the order in which they judge."""
    figures = policy_figures.figures(_teams(request))
    context = {"lines": lines(figures), "figures": figures, "may_write": may(request, WRITE)}
    return render(request, "console/policies/list.html", context)


@require_safe
@needs(READ)
def policy(request: HttpRequest, name: str) -> HttpResponse:
    """One policy: where it stands, what it does, what it was."""
    found = policy_named(name)
    current = found.current
    figures = policy_figures.figures(_teams(request)).of_policy(name)
    reads_calls = sees_calls(request.user)
    context = {
        "policy": found,
        "current": current,
        "rest": _rest(current),
        "trouble": problem(current.version) if current else "",
        "latest": found.latest,
        "steps": _steps(found, current),
        "roll_back": roll_back_target(found, current),
        "figures": figures,
        "reads_calls": reads_calls,
        "stopped": policy_figures.last_stopped(name, _teams(request), figures.since, LAST_STOPPED)
        if reads_calls and figures.total.blocked + figures.total.failed
        else [],
        "labelled": precision.of_policy(name, _teams(request)),
        "versions": found.versions.select_related("policy")[:SHOWN],
        "version_count": found.versions.count(),
        "activations": found.activations.select_related("version__policy", "previous__version__policy")[:SHOWN],
        "events": policy_figures.audit_trail(name, SHOWN),
        **_rights(request),
    }
    return render(request, "console/policies/policy.html", context)


@require_safe
@needs(READ)
def history(request: HttpRequest, name: str) -> HttpResponse:
    """All versions, everything that was in force, and who changed what."""
    found = policy_named(name)
    context = {
        "policy": found,
        "current": found.current,
        "versions": found.versions.select_related("policy")[:MOST_SHOWN],
        "activations": found.activations.select_related("version__policy", "previous__version__policy")[:MOST_SHOWN],
        "events": policy_figures.audit_trail(name, MOST_SHOWN),
        "most": MOST_SHOWN,
        **_rights(request),
    }
    return render(request, "console/policies/history.html", context)


@require_safe
@needs(READ)
def version(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One version, as it was stored."""
    found = policy_named(name)
    chosen = version_of(found, number)
    context = {
        "policy": found,
        "version": chosen,
        "settings": flat(chosen.config),
        "trouble": problem(chosen),
        "current": found.current,
        "numbers": found.versions.values_list("number", flat=True),
        "before": found.versions.filter(number__lt=number).first(),
        **_rights(request),
    }
    return render(request, "console/policies/version.html", context)


@require_safe
@needs(READ)
def diff(request: HttpRequest, name: str) -> HttpResponse:
    """What differs between two versions, setting by setting."""
    found = policy_named(name)
    before = version_of(found, request.GET.get("from", ""))
    after = version_of(found, request.GET.get("to", ""))
    rows = _differences(before, after)
    context = {
        "policy": found,
        "before": before,
        "after": after,
        "changed": [row for row in rows if row.mark != "same"],
        "same": [row for row in rows if row.mark == "same"],
        "numbers": found.versions.values_list("number", flat=True),
    }
    return render(request, "console/policies/diff.html", context)


def _differences(before: PolicyVersion, after: PolicyVersion) -> list[Row]:
    names = {"policy_class": before.registered_name}, {"policy_class": after.registered_name}
    return [*compare(*names), *compare(before.config, after.config)]


def _teams(request: HttpRequest) -> Teams:
    return teams_of(request.user)


def _rights(request: HttpRequest) -> dict[str, bool]:
    return {"may_write": may(request, WRITE), "may_activate": may(request, ACTIVATE)}


def _rest(current: Activation | None) -> PolicyVersion | None:
    return current.previous.version if current and current.previous else None


def _steps(found: Policy, current: Activation | None) -> list[tuple[Step, str]]:
    """The rungs of the ladder, and where each is confirmed: for the version in force, else for the newest."""
    chosen = current.version if current else found.latest
    if chosen is None:
        return []
    last = current or found.activations.first()
    terms = last.terms if last else Terms()
    address = reverse("policy-confirm", args=[found.name])
    return [
        (step, f"{address}?{terms_query(chosen, replace(terms, mode=step.mode, percent=step.percent))}")
        for step in steps(in_force(current))
    ]
