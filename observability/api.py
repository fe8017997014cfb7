"""The debug API: call records as JSON, for a reading key or for the session of somebody who may read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import NinjaAPI, Query, Schema
from ninja.errors import ValidationError
from pydantic import Field

from . import queries, shapes, viewing
from .hiding import HIDDEN
from .models import CallRecord
from .queries import Teams
from .search import listing
from .search.language import QueryError, parse, refuse_text
from .text import clean
from .viewers import sees_bodies, sees_calls, teams_of


class Refused(Exception):
    """Who asks may not read. `status` is 401 where nobody knows who it is, else 403."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Reader(NamedTuple):
    """Who reads, as the audit names them, the teams whose records they may read (None: all), and what is said too."""

    name: str
    teams: Teams
    bodies: bool = True


KeyCheck = Callable[[Mapping[str, str]], Reader]
"""Given a request's headers (any case), whose key it brings. Raises Refused."""

_key_check: KeyCheck | None = None


def register_key_check(check: KeyCheck) -> None:
    """Keys are checked by `check` from now on; without one, no key reads anything."""
    global _key_check
    _key_check = check


class Filters(Schema):
    """Filters of the list; empty ones match everything. `q` is a search as the console's search box takes it.

    `before` is a page's `older`.
    """

    q: str = ""
    team: str = ""
    key: str = ""
    session: str = ""
    model: str = ""
    outcome: str = ""
    policy: str = ""
    action: str = ""
    changed: bool = False
    before: str = ""
    limit: int = Field(listing.PAGE, ge=1, le=listing.MOST)


def reader_of(request: HttpRequest) -> Reader:
    """Who asks. Raises Refused."""
    if "authorization" in request.headers or "x-api-key" in request.headers:
        if _key_check is None:
            raise Refused(403, "API keys read no records here.")
        return _key_check(request.headers)
    user = request.user
    if not user.is_authenticated:
        raise Refused(401, "Send a reading key, or log in to the console.")
    if not sees_calls(user):
        raise Refused(403, "This user may not read call records.")
    return Reader(user.get_username(), teams_of(user), sees_bodies(user))


api = NinjaAPI(
    title="Luthien debug API",
    urls_namespace="debug",
    docs_url=None,
    openapi_url="openapi.json",
)


@api.get("/calls", url_name="calls")
def list_calls(request: HttpRequest, filters: Query[Filters]) -> dict[str, Any]:
    """Calls, newest first; `older` is the `before` of the next page, empty at the end."""
    chosen = filters.dict()
    q, before, limit = chosen.pop("q"), chosen.pop("before"), chosen.pop("limit")
    parts = (*parse(clean(q, len(q)), timezone.now(), listing.VOCABULARY), *listing.parts_of(**chosen))
    reader = reader_of(request)
    if not reader.bodies:
        refuse_text(parts, HIDDEN)
    page = listing.page_of(parts, before=before, limit=limit, teams=reader.teams)
    return {"calls": [shapes.summary(record, reader.bodies) for record in page.calls], "older": page.older}


@api.get("/calls/{id}", url_name="call")
def show_call(request: HttpRequest, id: str) -> dict[str, Any]:
    """One call with its bodies, attempts, usage, timings and verdicts; `bodies_hidden` where the reader gets none."""
    return shapes.detail(_call(request, id, "API"))


@api.get("/calls/{id}/diff", url_name="diff")
def show_diff(request: HttpRequest, id: str) -> dict[str, Any]:
    """Original and final of request and answer, block by block."""
    record = _call(request, id, "API, diff")
    if record.bodies_hidden:
        raise Refused(403, HIDDEN)
    return dict(queries.diff(record))


class _Missing(Exception):
    """There is no such call, or none that the reader may see; which of the two is not said."""


def _call(request: HttpRequest, id: str, shown: str) -> CallRecord:
    reader = reader_of(request)
    record = queries.call(id.replace("\0", ""), reader.teams, bodies=reader.bodies)
    if record is None:
        raise _Missing
    viewing.note(reader.name, record.pk, shown)
    return record


@api.exception_handler(Refused)
def _refused(request: HttpRequest, error: Refused) -> HttpResponse:
    kind = "authentication" if error.status == 401 else "permission"
    return _error(request, error.status, kind, str(error))


@api.exception_handler(_Missing)
def _missing(request: HttpRequest, error: _Missing) -> HttpResponse:
    return _error(request, 404, "not_found", "There is no such call.")


@api.exception_handler(QueryError)
def _unreadable(request: HttpRequest, error: QueryError) -> HttpResponse:
    return _error(request, 400, "invalid_request", f"q, characters {error.start} to {error.end}: {error}")


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields = ", ".join(sorted({str(each["loc"][-1]) for each in error.errors}))
    return _error(request, 400, "invalid_request", f"These parameters cannot be used: {fields}.")


def _error(request: HttpRequest, status: int, kind: str, message: str) -> HttpResponse:
    return api.create_response(request, {"error": {"type": kind, "message": message}}, status=status)
