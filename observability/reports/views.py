"""The pages of reports: ask for one, watch it, take it away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from observability.exporters import EXPORTERS
from observability.jobs import watching
from observability.viewers import sees_calls, teams_of

from . import asking
from .access import ALL, for_makers, found, has, may_get, may_make, seen_teams, visible
from .folder import path_of
from .forms import ReportForm
from .models import Report

SHOWN = 50
_CHUNK = 1 << 18


@require_safe
@for_makers
def reports(request: HttpRequest) -> HttpResponse:
    """What reports there are to make, and those that were made."""
    kinds = [each for each in EXPORTERS.values() if may_make(request.user, each)]
    context = {"kinds": kinds, "reports": visible(request.user)[:SHOWN], "sees_all": has(request.user, ALL)}
    return render(request, "reports/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_makers
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """Ask for one."""
    exporter = EXPORTERS.get(kind)
    if exporter is None:
        raise Http404
    if not may_make(request.user, exporter):
        raise PermissionDenied
    form = ReportForm(exporter, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        return redirect("report", _ask_for(request, kind, form).pk)
    context = {"form": form, "exporter": exporter, "sees_calls": sees_calls(request.user)}
    return render(request, "reports/new.html", context, status=422 if form.is_bound else 200)


@require_safe
@for_makers
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """One report: how far it is, or what it is and where to get it."""
    row = found(request, pk)
    context = {"report": row, "exporter": EXPORTERS.get(row.kind), "may_get": may_get(request.user, row)}
    return render(request, "reports/page.html", context | _progress(row))


@require_safe
@for_makers
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The bar, asked for again and again."""
    return watching.anew(request, _progress(found(request, pk)))


@require_POST
@for_makers
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop it."""
    row = found(request, pk)
    asking.cancel(row, actor=request.user.get_username())
    return redirect("report", row.pk)


@require_POST
@for_makers
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete its file."""
    row = found(request, pk)
    if row.is_over:
        asking.discard(row, actor=request.user.get_username())
    return redirect("report", row.pk)


@require_safe
@for_makers
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file, to those who may see all of it now."""
    row = found(request, pk)
    if not may_get(request.user, row):
        raise PermissionDenied
    if not row.is_there or not path_of(row).is_file():
        return render(request, "reports/gone.html", {"report": row}, status=410)
    asking.note_download(row, actor=request.user.get_username())
    headers = {
        "Content-Disposition": f'attachment; filename="{row.file_name}"',
        "Content-Length": str(row.size),
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(_chunks(path_of(row)), content_type="application/zip", headers=headers)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    # A plain iterator would be read to its end before the first byte leaves.
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


def _ask_for(request: HttpRequest, kind: str, form: ReportForm) -> Report:
    data = form.cleaned_data
    return asking.ask_for(
        kind,
        since=data["since"],
        until=data["until"],
        filters=form.filters,
        formats=data["formats"],
        contents=data.get("contents", False),
        keep=timedelta(days=data["days"]),
        teams=teams_of(request.user),
        seen_teams=seen_teams(request.user),
        actor=request.user.get_username(),
    )


def _progress(row: Report) -> dict[str, Any]:
    return watching.part(row.job, "report-progress", row.pk)
