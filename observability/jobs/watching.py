"""The part of a page that shows how far a job is, and asks for itself anew until it is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from observability.models import Job


def part(job: Job, view: str, pk: int, lines: Sequence[str] = ()) -> dict[str, Any]:
    """What `jobs/progress.html` shows; the view of that name gives it `anew`."""
    return {"job": job, "again": reverse(view, args=[pk]), "lines": lines}


def anew(request: HttpRequest, part: dict[str, Any]) -> HttpResponse:
    """The part by itself; when the job is over, the whole page is loaded anew."""
    response = render(request, "jobs/progress.html", part)
    if part["job"].is_over:
        response["HX-Refresh"] = "true"
    return response
