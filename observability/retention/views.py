"""The pages on which admins say how long the record is kept, place holds, and have contents erased."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from observability.models import AuditEvent, Job

from . import erasure, holds, purge, work
from .forms import HoldForm, PeriodForm, SubjectForm
from .kinds import Kind
from .models import LegalHold
from .periods import periods, set_period

PERMISSION = "observability.change_retentionperiod"
SHOWN = 20
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def for_admins(view: View[P]) -> View[P]:
    @wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not (isinstance(request.user, AbstractUser) and request.user.has_perm(PERMISSION)):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(checked, login_url="login")


@require_safe
@for_admins
def retention(request: HttpRequest) -> HttpResponse:
    """Periods, holds, what the next purge takes, and what went before."""
    return _page(request)


@require_POST
@for_admins
def change_period(request: HttpRequest) -> HttpResponse:
    form = PeriodForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        with _blamed(form):
            set_period(Kind(given["kind"]), given["days"], team=given["team"], actor=_actor(request))
            messages.success(request, "The period is stored. The next purge goes by it.")
            return redirect("retention")
    return _page(request, period_form=form)


@require_POST
@for_admins
def place_hold(request: HttpRequest) -> HttpResponse:
    form = HoldForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        with _blamed(form):
            hold = holds.place(given["scope"], given["name"], given["reason"], actor=_actor(request))
            messages.success(request, f"The hold on {hold} is in force.")
            return redirect("retention")
    return _page(request, hold_form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def release_hold(request: HttpRequest, pk: int) -> HttpResponse:
    """What a release means; posted, the hold is released."""
    hold = get_object_or_404(holds.active(), pk=pk)
    if request.method == "POST":
        holds.release(hold, actor=_actor(request))
        messages.success(request, f"The hold on {hold} is released.")
        return redirect("retention")
    return render(request, "retention/release.html", {"hold": hold})


@require_POST
@for_admins
def purge_now(request: HttpRequest) -> HttpResponse:
    work.ask_for_purge(actor=_actor(request))
    messages.success(request, "The purge is queued.")
    return redirect("retention")


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def erase(request: HttpRequest) -> HttpResponse:
    """What an erasure would take and leave; posted, a worker does it."""
    form = SubjectForm(request.GET)
    if not form.is_valid():
        return _page(request, subject_form=form)
    found = erasure.find(form.subject)
    if request.method == "POST" and found.erasable:
        work.ask_for_erasure(form.subject, actor=_actor(request))
        messages.success(request, f"The erasure of {form.subject} is queued.")
        return redirect("retention")
    return render(request, "retention/erase.html", {"subject": form.subject, "found": found})


def _page(request: HttpRequest, **given: forms.Form) -> HttpResponse:
    calls, events = periods(Kind.CALLS), periods(Kind.AUDIT)
    context: dict[str, Any] = {
        "calls": calls,
        "teams": sorted(calls.teams.items()),
        "events": events,
        "holds": holds.active(),
        "released": LegalHold.objects.exclude(released_at=None).order_by("-released_at")[:SHOWN],
        "due": purge.due(),
        "under_way": Job.objects.filter(kind__in=work.KINDS, state__in=("queued", "running")),
        "history": AuditEvent.objects.filter(action__in=(purge.FINISHED, erasure.FINISHED))[:SHOWN],
        "period_form": PeriodForm(auto_id="period_%s"),
        "hold_form": HoldForm(auto_id="hold_%s"),
        "subject_form": SubjectForm(auto_id="subject_%s"),
        "wrong": bool(given),
    }
    return render(request, "retention/page.html", context | given, status=422 if given else 200)


@contextmanager
def _blamed(form: forms.Form) -> Iterator[None]:
    """Puts what a service refuses beside the field of `form` that it blames."""
    try:
        yield
    except ValidationError as error:
        form.add_error(None, error)


def _actor(request: HttpRequest) -> str:
    return request.user.get_username()
