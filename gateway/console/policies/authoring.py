"""The pages on which versions are written: a form made from the policy's Config, or its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from gateway.console.access import READ, WRITE, actor, needs
from gateway.console.policies.catalogue import entry
from gateway.console.policies.standing import policy_named, version_of
from policies import registry, services
from policies.base import Policy as PolicyClass
from policies.config_form import Draft
from policies.models import Policy, PolicyVersion

MOST_NOTE = 500


@require_http_methods(["GET", "HEAD", "POST"])
@needs(READ, WRITE)
def new_policy(request: HttpRequest) -> HttpResponse:
    """A name, and the first version under it."""
    class_name, chosen = _class(request.GET.get("class", ""))
    if request.method != "POST":
        return _form(request, class_name, Draft.of(chosen.Config), name=class_name.replace("_", "-"))
    draft = Draft.read(chosen.Config, dict(request.POST.lists()))
    faults: dict[str, str] = {}
    if draft.valid:
        try:
            return _done(request, _create(request, class_name, draft.config))
        except services.InvalidPolicy as error:
            faults = dict(error.errors)
    return _form(request, class_name, draft, faults=faults, name=request.POST.get("name", ""))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(READ, WRITE)
def new_version(request: HttpRequest, name: str) -> HttpResponse:
    """A further version: of the newest one's class or of `class`, beginning with the config of version `from`."""
    policy = policy_named(name)
    basis = version_of(policy, request.GET["from"]) if request.GET.get("from") else policy.latest
    class_name, chosen = _class(request.GET.get("class") or (basis.registered_name if basis else ""))
    if request.method != "POST":
        config = basis.config if basis and basis.registered_name == class_name else None
        return _form(request, class_name, Draft.of(chosen.Config, config), policy=policy, basis=basis)
    draft = Draft.read(chosen.Config, dict(request.POST.lists()))
    faults: dict[str, str] = {}
    if draft.valid:
        try:
            return _done(request, _store(request, policy, class_name, draft.config))
        except services.InvalidPolicy as error:
            faults = dict(error.errors)
    return _form(request, class_name, draft, faults=faults, policy=policy, basis=basis)


def _class(name: str) -> tuple[str, type[PolicyClass]]:
    chosen = registry.catalogue().get(name)
    if chosen is None:
        raise Http404
    return name, chosen


@transaction.atomic
def _create(request: HttpRequest, class_name: str, config: Mapping[str, Any]) -> PolicyVersion:
    policy = services.create_policy(request.POST.get("name", "").strip(), actor=actor(request))
    return _store(request, policy, class_name, config)


def _store(request: HttpRequest, policy: Policy, class_name: str, config: Mapping[str, Any]) -> PolicyVersion:
    note = request.POST.get("note", "").strip()[:MOST_NOTE]
    return services.create_version(policy, class_name, config, actor=actor(request), note=note)


def _done(request: HttpRequest, version: PolicyVersion) -> HttpResponse:
    messages.success(request, f"Version {version.number} is stored. It is not in force yet.")
    return redirect(reverse("policy", args=[version.policy.name]))


def _form(
    request: HttpRequest,
    class_name: str,
    draft: Draft,
    *,
    faults: Mapping[str, str] | None = None,
    policy: Policy | None = None,
    basis: PolicyVersion | None = None,
    name: str = "",
) -> HttpResponse:
    faults = faults or {}
    context = {
        "policy": policy,
        "basis": basis,
        "name": name,
        "entry": entry(class_name, registry.catalogue()[class_name]),
        "draft": draft,
        "note": request.POST.get("note", ""),
        "most_note": MOST_NOTE,
        "name_fault": faults.get("name", ""),
        "other_faults": [text for field, text in faults.items() if field != "name"],
        "wrong": request.method == "POST" and bool(faults or (draft.errors and not draft.pressed)),
    }
    status = 422 if context["wrong"] else 200
    return render(request, "console/policies/version_form.html", context, status=status)
