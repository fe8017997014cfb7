"""The pages on which versions are put in force and taken out: every change is shown first, then confirmed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from gateway.console.access import ACTIVATE, READ, actor, needs
from gateway.console.policies.ladder import review
from gateway.console.policies.standing import (
    as_terms,
    in_force,
    policy_named,
    rest,
    roll_back_target,
    version_of,
)
from observability.figures import policy_figures
from observability.viewers import teams_of
from policies import services
from policies.forms import ActivationForm, terms_initial
from policies.models import Activation, Policy, PolicyVersion, Terms

CHANGED_MEANWHILE = "Somebody changed what is in force meanwhile. Look at it again before you confirm."


@require_safe
@needs(READ, ACTIVATE)
def choose(request: HttpRequest, name: str) -> HttpResponse:
    """The terms to put a version in force on; they begin as those of the last activation."""
    policy = policy_named(name)
    last = policy.activations.first()
    initial = terms_initial(last) if last else {}
    chosen = version_of(policy, request.GET["version"]) if request.GET.get("version") else policy.latest
    return _choose(request, policy, ActivationForm(policy, initial={**initial, "version": chosen}))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(READ, ACTIVATE)
def confirm(request: HttpRequest, name: str) -> HttpResponse:
    """What the terms in the query string would change; posted, they are put in force."""
    policy = policy_named(name)
    form = ActivationForm(policy, request.GET)
    if not form.is_valid():
        return _choose(request, policy, form, status=422)
    version, terms = form.version_chosen, form.terms
    if request.method == "POST" and _is_as_seen(request, policy):
        services.activate(version, terms, actor=actor(request))
        messages.success(request, f"Version {version.number} is in force in {terms.mode} mode.")
        return redirect("policy", policy.name)
    title = "Put in force" if policy.current is None else "Change what is in force"
    again = f"{reverse('policy-activate', args=[policy.name])}?version={version.number}"
    return _confirm(request, policy, version, terms, title=title, verb="Put in force", again=again)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(READ, ACTIVATE)
def roll_back(request: HttpRequest, name: str) -> HttpResponse:
    """Back to the version that was in force before, or to the one that `version` names."""
    policy = policy_named(name)
    current = policy.current
    named = request.GET.get("version")
    target = version_of(policy, named) if named else roll_back_target(policy, current)
    last = policy.activations.first()
    if target is None or last is None:
        messages.error(request, "There is no earlier version to go back to.")
        return redirect("policy", policy.name)
    if request.method == "POST" and _is_as_seen(request, policy):
        services.roll_back(policy, target.number, actor=actor(request))
        messages.success(request, f"Rolled back to version {target.number}.")
        return redirect("policy", policy.name)
    terms = replace(last.terms, percent=100)
    return _confirm(request, policy, target, terms, title=f"Roll back to version {target.number}", verb="Roll back")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(READ, ACTIVATE)
def end(request: HttpRequest, name: str) -> HttpResponse:
    """Take a policy out of force."""
    policy = policy_named(name)
    current = policy.current
    if current is None:
        messages.info(request, f"Nothing of {policy} is in force.")
        return redirect("policy", policy.name)
    if request.method == "POST" and _is_as_seen(request, policy):
        services.deactivate(policy, actor=actor(request))
        messages.success(request, f"Policy {policy} is no longer in force.")
        return redirect("policy", policy.name)
    context = {"policy": policy, "current": current, "terms": in_force(current), "seen": current.pk}
    return render(request, "console/policies/end.html", context)


def _choose(request: HttpRequest, policy: Policy, form: ActivationForm, status: int = 200) -> HttpResponse:
    context = {"policy": policy, "form": form, "current": policy.current, "has_versions": policy.latest is not None}
    return render(request, "console/policies/activate.html", context, status=status)


def _confirm(request: HttpRequest, policy: Policy, version: PolicyVersion, terms: Terms, **words: Any) -> HttpResponse:
    current = policy.current
    after = as_terms(version, terms)
    lately = policy_figures.figures(teams_of(request.user)).of_policy(policy.name)
    context = {
        "policy": policy,
        "version": version,
        "current": current,
        "review": review(in_force(current), after, rest(policy, terms)),
        "figures": lately.where(lambda row: row.version == version.number),
        "seen": _mark(current),
        **words,
    }
    return render(request, "console/policies/confirm.html", context)


def _is_as_seen(request: HttpRequest, policy: Policy) -> bool:
    if request.POST.get("seen") == _mark(policy.current):
        return True
    messages.warning(request, CHANGED_MEANWHILE)
    return False


def _mark(current: Activation | None) -> str:
    return str(current.pk) if current else "none"
