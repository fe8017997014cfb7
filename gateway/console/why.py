"""What a blocked call's user is told: no more than its notice said, and what the policy is for. No bodies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gateway.console.access import visible_call
from gateway.console.policies.catalogue import entry
from gateway.why import is_proof
from observability import queries
from observability.models import CallRecord, Decision, Review
from observability.reviews import labelling
from observability.reviews.models import BY_CLIENT
from policies import registry
from policies.models import PolicyVersion

WHAT = {
    "on_request": "the request",
    "on_text": "a part of the answer",
    "on_thinking": "the reasoning of the answer",
    "on_tool_call": "a tool call",
}
TOLD = ("block", "stop", "failed_closed")
"""What notices are written for. Shadow verdicts, changes and evidence are for reviewers."""


@dataclass(frozen=True, slots=True)
class Told:
    """One decision, as its notice told it; `about` is the first paragraph of the policy's own text."""

    policy: str
    about: str
    what: str
    reason: str
    failed: bool


@require_safe
@never_cache
def why(request: HttpRequest, id: str, proof: str) -> HttpResponse:
    """Which policy decided, why, and whom to ask. The proof is what lets one in, or beside it a login."""
    if _needs_login(request):
        return redirect_to_login(request.get_full_path(), "login")
    return render(request, "why/page.html", _context(request, _call(id, proof)))


@require_POST
@never_cache
def wrong(request: HttpRequest, id: str, proof: str) -> HttpResponse:
    """The client's user says that it was wrong to block this; once a call."""
    if _needs_login(request):
        return redirect_to_login(request.get_full_path(), "login")
    call = _call(id, proof)
    if labelling.report(call):
        return redirect("why", id, proof)
    return render(request, "why/page.html", _context(request, call) | {"too_many": True}, status=429)


def _needs_login(request: HttpRequest) -> bool:
    return settings.LUTHIEN_WHY == "login" and not request.user.is_authenticated


def _call(id: str, proof: str) -> CallRecord:
    call = queries.call(id) if is_proof(id, proof) else None
    if call is None:
        raise Http404
    return call


def _context(request: HttpRequest, call: CallRecord) -> dict[str, object]:
    stopped = call.decisions.filter(mode="enforce", action__in=TOLD).order_by("position")
    return {
        "call": call,
        "told": _told(stopped),
        "contact": settings.LUTHIEN_CONTACT,
        "reported": Review.objects.filter(call_id=call.pk, position=BY_CLIENT).exists(),
        "may_see_call": visible_call(request, call.pk) is not None,
    }


def _told(decisions: Iterable[Decision]) -> list[Told]:
    """Each once: an agent's five calls of one tool may have been blocked for one reason."""
    rows = list(decisions)
    about = _about({(row.policy, row.version) for row in rows})
    told = (_one(row, about.get((row.policy, row.version), "")) for row in rows)
    return list(dict.fromkeys(told))


def _one(row: Decision, about: str) -> Told:
    failed = row.action == "failed_closed"
    # What a failing policy raised may quote what it read.
    return Told(row.policy, about, WHAT.get(row.hook, "the answer"), "" if failed else row.reason, failed)


def _about(judged: set[tuple[str, int]]) -> dict[tuple[str, int], str]:
    versions = PolicyVersion.objects.filter(policy__name__in={name for name, _ in judged})
    known = registry.catalogue()
    return {
        (name, number): entry(registered, known[registered]).summary
        for name, number, registered in versions.values_list("policy__name", "number", "registered_name")
        if registered in known and (name, number) in judged
    }
