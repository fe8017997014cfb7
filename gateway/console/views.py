"""The console's pages that need both the gateway and the record."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gateway.console.connect import guides
from gateway.console.home import LAST_CALLS, MOST_COUNTED, SHOWN, busy, figures, in_force, shares
from gateway.console.reference import document, groups
from observability.figures import policy_figures
from observability.figures.overview import overview
from observability.queries import Teams
from observability.reviews import queue
from observability.search.listing import call_page
from observability.viewers import sees_calls, teams_of


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """How to connect a client, and today at a glance. Clients probe the address with HEAD, which says nothing."""
    if request.method == "HEAD":
        return HttpResponse()
    return _home(request)


@require_safe
@login_required(login_url="login")
def reference(request: HttpRequest) -> HttpResponse:
    """What programs may ask, for people."""
    return render(request, "console/reference.html", {"groups": groups(document())})


@require_safe
@login_required(login_url="login")
def openapi(request: HttpRequest) -> HttpResponse:
    """What programs may ask, for programs."""
    return JsonResponse(document())


@login_required(login_url="login")
def _home(request: HttpRequest) -> HttpResponse:
    context: dict[str, object] = {"guides": guides(f"{request.scheme}://{request.get_host()}")}
    if sees_calls(request.user):
        context |= {"sees_calls": True, "activations": in_force(), **_day(teams_of(request.user))}
    return render(request, "console/home.html", context)


def _day(teams: Teams) -> dict[str, object]:
    """The last day of the calls of `teams`; nothing of it where there was never any."""
    calls = call_page(limit=LAST_CALLS, teams=teams).calls
    if not calls:
        return {}
    day = overview(teams)
    return {
        "calls": calls,
        "day": day,
        "figures": figures(day),
        "spenders": [("team", shares("team", day.teams)), ("model", shares("model", day.models))],
        "busy": busy(policy_figures.figures(teams)),
        "waiting": queue.waiting("blocked", teams=teams, limit=SHOWN, counted=MOST_COUNTED),
        "most_counted": MOST_COUNTED,
    }
