"""Live activity as server-sent events, for programs: `/activity/stream`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from time import monotonic

import structlog
from django.conf import settings
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from observability.api import Refused, reader_of
from observability.viewers import Sight, sees_calls, sight_of, user_of

from . import history
from .cursors import Cursor
from .filters import Filter
from .viewing import Viewing

log = structlog.get_logger(__name__)

CHECK_EVERY = 30.0
"""Seconds after which it is asked again who reads and what they may see."""
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@require_GET
async def stream(request: HttpRequest) -> HttpResponseBase:
    """A filter's fields are in the query. `Last-Event-ID`, or `cursor` in the query, is where to go on."""
    try:
        sight = await history.read(_sight, request)
    except Refused as error:
        kind = "authentication" if error.status == 401 else "permission"
        return JsonResponse({"error": {"type": kind, "message": str(error)}}, status=error.status)
    at = request.headers.get("Last-Event-ID") or request.GET.get("cursor", "")
    viewing = Viewing(sight, Filter.of(request.GET.dict()), Cursor.read(at))
    return StreamingHttpResponse(_frames(request, viewing, sight), content_type="text/event-stream", headers=_HEADERS)


async def _frames(request: HttpRequest, viewing: Viewing, sight: Sight) -> AsyncIterator[bytes]:
    """Until the reader leaves, or may no longer see what they saw."""
    checked = monotonic()
    async with viewing:
        yield b"retry: 2000\n\n"
        async for message in viewing.messages():
            if monotonic() - checked > CHECK_EVERY:
                if not await _still(request, sight):
                    return
                checked = monotonic()
            yield message.frames()


async def _still(request: HttpRequest, sight: Sight) -> bool:
    try:
        return await history.read(_sight, request) == sight
    except Refused:
        return False


def _sight(request: HttpRequest) -> Sight:
    """What whoever asks may see now. Raises Refused."""
    if "authorization" in request.headers or "x-api-key" in request.headers:
        reader = reader_of(request)
        return Sight(reader.teams, reader.bodies)
    user = user_of(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    if not user.is_authenticated:
        raise Refused(401, "Send a reading key, or log in to the console.")
    if not sees_calls(user):
        raise Refused(403, "This user may not read call records.")
    return sight_of(user)
