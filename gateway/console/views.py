"""The console's pages that need both the gateway and the record."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gateway.console.connect import guides


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """How to connect a client, and today at a glance. Clients probe the address with HEAD, which says nothing."""
    if request.method == "HEAD":
        return HttpResponse()
    return _home(request)


@login_required
def _home(request: HttpRequest) -> HttpResponse:
    origin = f"{request.scheme}://{request.get_host()}"
    return render(request, "console/home.html", {"guides": guides(origin)})
