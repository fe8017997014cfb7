"""The page of live activity, and its button that stops a key or a session."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from gateway.console.access import actor, may, visible_call
from gateway.models import Stop
from gateway.services import lift_stop, stop_calls
from observability.activity.events import KINDS
from observability.models import CallRecord
from observability.presentation import ACTIONS
from observability.viewers import User, for_reviewers, teams_of

MAY_STOP = "gateway.add_stop"


@require_safe
@for_reviewers
def monitor(request: HttpRequest) -> HttpResponse:
    """Calls as they happen. A filter's fields may stand in the query: a link to share."""
    context = {
        "kinds": KINDS.items(),
        "actions": ACTIONS,
        "may_stop": may(request, MAY_STOP),
        "stops": _stops(request.user),
    }
    return render(request, "activity/monitor.html", context)


@require_safe
@for_reviewers
def ask_to_stop(request: HttpRequest, id: str) -> HttpResponse:
    """What would be stopped, by a call of it; nothing happens yet."""
    return render(request, "activity/stop.html", {"call": _call(request, id)})


@require_POST
@for_reviewers
def stop(request: HttpRequest, id: str) -> HttpResponse:
    """End the key or the session of a call: the calls under way, and those to come."""
    call = _call(request, id)
    try:
        kind = Stop.Kind(request.POST.get("kind", ""))
    except ValueError:
        raise Http404 from None
    name = call.key if kind == Stop.Kind.KEY else call.session
    stop_calls(kind, call.team, name, actor=actor(request))
    messages.success(request, f"The {kind} {name} is stopped: its calls end within two seconds.")
    return redirect("activity-monitor")


@require_POST
@for_reviewers
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Let what was stopped go on."""
    _require_stop(request)
    found = get_object_or_404(_stops(request.user), pk=pk)
    lift_stop(found, actor=actor(request))
    messages.success(request, f"The {found.kind} {found.name} may go on.")
    return redirect("activity-monitor")


def _call(request: HttpRequest, id: str) -> CallRecord:
    _require_stop(request)
    call = visible_call(request, id)
    if call is None:
        raise Http404
    return call


def _require_stop(request: HttpRequest) -> None:
    if not may(request, MAY_STOP):
        raise PermissionDenied


def _stops(user: User) -> QuerySet[Stop]:
    """What is stopped now, as far as `user` sees its team's calls."""
    teams = teams_of(user)
    stops = Stop.objects.filter(lifted_at=None)
    return stops if teams is None else stops.filter(team__in=teams)
