"""The console's pages that need both the gateway and the record."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gateway.console.connect import guides
from gateway.console.home import LAST_CALLS, in_force, today
from gateway.console.reference import document, groups
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
        teams = teams_of(request.user)
        context |= {
            "sees_calls": True,
            "today": today(teams),
            "calls": call_page(limit=LAST_CALLS, teams=teams).calls,
            "activations": in_force(),
        }
    return render(request, "console/home.html", context)
