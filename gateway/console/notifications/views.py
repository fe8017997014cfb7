"""Endpoints: who is told of what, and how that went."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gateway.console.access import actor, may, needs
from gateway.console.notifications.forms import EndpointForm
from gateway.notifications import services
from gateway.notifications.models import Delivery, DeliveryState, Endpoint
from observability.viewers import teams_of

SHOWN = 50
SEE = "gateway.view_endpoint"


@require_safe
@needs(SEE)
def notifications(request: HttpRequest) -> HttpResponse:
    """All endpoints, and the last deliveries."""
    waiting = Count("deliveries", filter=Q(deliveries__state=DeliveryState.PENDING))
    failed = Count("deliveries", filter=Q(deliveries__state=DeliveryState.FAILED))
    endpoints = _visible(request).annotate(waiting=waiting, failed=failed)
    return render(request, "notifications/list.html", {"endpoints": endpoints, **_deliveries(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(SEE, "gateway.add_endpoint")
def new(request: HttpRequest) -> HttpResponse:
    form = EndpointForm(request.POST or None)
    if form.is_bound and form.is_valid():
        endpoint = form.save(commit=False)
        return _show_secret(request, endpoint, services.create(endpoint, actor=actor(request)))
    return render(request, "notifications/form.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(SEE)
def endpoint(request: HttpRequest, pk: int) -> HttpResponse:
    """One endpoint: its settings, for who may change them, and its deliveries."""
    row = get_object_or_404(_visible(request), pk=pk)
    form = EndpointForm(request.POST if request.method == "POST" else None, instance=row)
    if form.is_bound:
        if not may(request, "gateway.change_endpoint"):
            raise PermissionDenied
        if form.is_valid():
            services.change(form.save(commit=False), actor=actor(request))
            messages.success(request, "Saved.")
            return redirect("endpoint", pk)
    context = {"form": form, "endpoint": Endpoint.objects.get(pk=pk), **_deliveries(request, pk)}
    return render(request, "notifications/endpoint.html", context, status=422 if form.is_bound else 200)


@require_POST
@needs(SEE, "gateway.change_endpoint")
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(_visible(request), pk=pk)
    return _show_secret(request, row, services.rotate_secret(row, actor=actor(request)))


@require_POST
@needs(SEE, "gateway.change_endpoint")
def test(request: HttpRequest, pk: int) -> HttpResponse:
    services.send_test(get_object_or_404(_visible(request), pk=pk), actor=actor(request))
    messages.success(request, "A test is on its way; what became of it stands below in a few seconds.")
    return redirect("endpoint", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(SEE, "gateway.delete_endpoint")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks, then does it."""
    row = get_object_or_404(_visible(request), pk=pk)
    if request.method != "POST":
        return render(request, "notifications/delete.html", {"endpoint": row})
    services.delete(row, actor=actor(request))
    messages.success(request, f"{row.name} is deleted.")
    return redirect("notifications")


@require_POST
@needs(SEE, "gateway.change_endpoint")
def redeliver(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Delivery.objects.filter(endpoint__in=_visible(request)), pk=pk)
    services.redeliver(row, actor=actor(request))
    messages.success(request, "It is sent again.")
    return redirect("endpoint", row.endpoint_id)


def _visible(request: HttpRequest) -> QuerySet[Endpoint]:
    """All of them, or for members of teams those of their teams."""
    teams = teams_of(request.user)
    return Endpoint.objects.all() if teams is None else Endpoint.objects.filter(team__in=[t for t in teams if t])


def _deliveries(request: HttpRequest, endpoint: int | None = None) -> dict[str, object]:
    """The newest, as the address filters them, and where the next page begins."""
    rows = Delivery.objects.filter(endpoint__in=_visible(request)).select_related("endpoint")
    if endpoint is not None:
        rows = rows.filter(endpoint=endpoint)
    state, before = request.GET.get("state", ""), request.GET.get("before", "")
    if state in DeliveryState.values:
        rows = rows.filter(state=state)
    if before.isdecimal():
        rows = rows.filter(pk__lt=int(before[:18]))
    found = list(rows.order_by("-id")[: SHOWN + 1])
    shown = found[:SHOWN]
    return {
        "deliveries": shown,
        "states": DeliveryState.values,
        "state": state,
        "next": shown[-1].pk if len(found) > SHOWN else None,
    }


def _show_secret(request: HttpRequest, row: Endpoint, secret: str) -> HttpResponse:
    response = render(request, "notifications/secret.html", {"endpoint": row, "secret": secret})
    response["Cache-Control"] = "no-store"
    return response
