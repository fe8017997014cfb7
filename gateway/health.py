"""Whether this process lives, whether it can serve, and what it measured."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from gateway import counting, directory
from gateway.errors import Unavailable
from observability import metrics
from observability.recording import writer


async def health(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "alive"})


async def ready(request: HttpRequest) -> HttpResponse:
    """Policies, keys and routes are loaded and calls can be put on record; else 503 and what is missing.

    `revision` is that of the configuration in force here, `warnings` names what is served, but not as one would think.
    """
    missing, body = [], dict[str, object]()
    try:
        body["revision"] = (await directory.current()).number
    except Unavailable as error:
        missing.append(str(error))
    if not writer.current().ready:
        missing.append("the record cannot be written")
    body |= {"status": "unready", "missing": missing} if missing else {"status": "ready"}
    if warning := counting.warning():
        body["warnings"] = [warning]
    return JsonResponse(body, status=503 if missing else 200)


async def measurements(request: HttpRequest) -> HttpResponse:
    """The metrics in Prometheus's text format."""
    return HttpResponse(metrics.render(), content_type=metrics.CONTENT_TYPE)


urlpatterns = [
    path("health", health),
    path("ready", ready),
    path("metrics", measurements),
]
