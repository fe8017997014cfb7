"""The pages of jobs: what runs and ran in the background, and how the record stands."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from observability import audit
from observability.models import Job, JobState
from observability.viewers import teams_of

from . import jobs, watching
from .standing import standing

SHOWN = 50
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def needs(permission: str) -> Callable[[View[P]], View[P]]:
    """A view for people who see jobs and have `permission`; the others are told, strangers asked to log in."""

    def wrap(view: View[P]) -> View[P]:
        @wraps(view)
        def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            user = request.user
            if not (isinstance(user, AbstractUser) and user.has_perms(("observability.view_job", permission))):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return login_required(checked, login_url="login")

    return wrap


@require_safe
@needs("observability.view_job")
def all_jobs(request: HttpRequest) -> HttpResponse:
    """The newest, as the address filters them; who sees all teams is told how the record stands."""
    state, before = request.GET.get("state", ""), request.GET.get("before", "")
    rows = _visible(request)
    if state in JobState.values:
        rows = rows.filter(state=state)
    if before.isdecimal():
        rows = rows.filter(pk__lt=int(before[:18]))
    found = list(rows.order_by("-id")[: SHOWN + 1])
    context = {
        "jobs": found[:SHOWN],
        "states": JobState.values,
        "state": state,
        "next": found[SHOWN - 1].pk if len(found) > SHOWN else None,
        "standing": standing() if teams_of(request.user) is None else None,
    }
    return render(request, "jobs/list.html", context)


@require_safe
@needs("observability.view_job")
def one_job(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "jobs/job.html", _told(get_object_or_404(_visible(request), pk=pk)))


@require_safe
@needs("observability.view_job")
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part that moves, asked for again and again."""
    return watching.anew(request, _told(get_object_or_404(_visible(request), pk=pk)))


@require_POST
@needs("observability.change_job")
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(_visible(request), pk=pk)
    if jobs.cancel(job):
        audit.record(actor=request.user.get_username(), action="job.cancelled", subject=str(job))
        messages.success(request, "It is asked to stop.")
    return redirect("job", pk)


def _visible(request: HttpRequest) -> QuerySet[Job]:
    """All of them; members of teams see their own."""
    everything = teams_of(request.user) is None
    return Job.objects.all() if everything else Job.objects.filter(created_by=request.user.get_username())


def _told(job: Job) -> dict[str, Any]:
    return watching.part(job, "job-progress", job.pk, job.log.splitlines())
