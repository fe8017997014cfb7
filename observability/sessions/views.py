"""The pages of sessions."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from observability import queries, viewing
from observability.activity.events import moment
from observability.hiding import hide
from observability.queries import Teams
from observability.search.listing import refresh
from observability.search.suggesting import chips
from observability.search.typed import marked, pages, typed_in
from observability.text import clean_name
from observability.viewers import for_reviewers, sees_bodies, sight_of, teams_of

from . import listing
from .bodies import said_in
from .export import lines_of
from .listing import Row
from .reading import MOST, Line, Talk, story_of

FILTERS = ("team", "key", "session", "model")
BODIES = 16
"""Calls whose bodies are loaded at a time."""
OVERLAP = timedelta(seconds=30)
"""How long before the last look something may have happened that was not on record then."""
_YEARS = 4_000_000_000_000_000


@require_safe
@for_reviewers
def sessions(request: HttpRequest) -> HttpResponse:
    """The list. The query and `before`, the place of the page, are in the address."""
    typed = typed_in(request, FILTERS)
    context: dict[str, Any] = {"query": typed.text, "chips": chips(typed.text, typed.parts)}
    if typed.error is None:
        before = request.GET.get("before", "")
        page = listing.page_of(typed.parts, before=before, teams=teams_of(request.user))
        context |= {
            "rows": page.rows,
            **pages({"q": typed.text}, before, page.older),
        }
    else:
        context |= marked(typed)
    return render(request, "sessions/list.html", context, status=400 if typed.error else 200)


@require_safe
@for_reviewers
def session(request: HttpRequest, name: str) -> HttpResponse:
    """A session's story: all its calls, whose bodies come when they are looked at."""
    return render(request, "sessions/session.html", _told(request, name))


@require_safe
@for_reviewers
def session_changes(request: HttpRequest, name: str) -> HttpResponse:
    """The calls of which something may have happened since `since` (microseconds), for a page that is open."""
    told = _told(request, name)
    since = request.GET.get("since", "")
    number = min(int(since), _YEARS) if since.isascii() and since.isdecimal() and len(since) < 20 else 0
    fresh = [_fresh(talk, moment(number) - OVERLAP if number else None) for talk in told["story"].talks]
    return render(request, "sessions/changes.html", told | {"fresh": [talk for talk in fresh if talk.lines]})


@require_safe
@for_reviewers
def session_bodies(request: HttpRequest, name: str) -> HttpResponse:
    """What was new in the calls that `call` names, each as `SHARED.ID`: how many of its steps are known, and which."""
    teams = teams_of(request.user)
    asked = [each.partition(".") for each in request.GET.getlist("call")[:BODIES]]
    shared = {clean_name(id): int(steps) for steps, _, id in asked if steps.isascii() and steps.isdecimal()}
    calls = list(listing.records(clean_name(name), teams).filter(pk__in=shared).prefetch_related("decisions"))
    if not sees_bodies(request.user):
        calls = [hide(call) for call in calls]
    if not calls:
        raise Http404
    viewing.note(request.user.get_username(), clean_name(name), "page", viewing.SESSION)
    blobs = queries.readable_blobs(*calls)
    bodies = [
        {"call": call, "said": said_in(call, shared[call.pk], blobs), "is_first": not shared[call.pk]} for call in calls
    ]
    return render(request, "sessions/bodies.html", {"bodies": bodies})


@require_safe
@for_reviewers
def session_export(request: HttpRequest, name: str) -> HttpResponseBase:
    """The session as JSON Lines, to download."""
    name, teams = clean_name(name), teams_of(request.user)
    if not listing.records(name, teams).exists():
        raise Http404
    refresh()
    viewing.note(request.user.get_username(), name, "export", viewing.SESSION)
    headers = {"Content-Disposition": 'attachment; filename="session.jsonl"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(
        lines_of(name, sight_of(request.user)), content_type="application/jsonl", headers=headers
    )


def _told(request: HttpRequest, name: str) -> dict[str, Any]:
    """What the page says of the session, which is about to be shown: that is an event of the audit."""
    name, teams = clean_name(name), teams_of(request.user)
    now = time.time_ns() // 1000
    refresh(listing.FEW)
    rows = _rows(name, teams)
    story = story_of(name, sight_of(request.user))
    if not story.talks and not story.is_behind:
        raise Http404
    viewing.note(request.user.get_username(), name, "page", viewing.SESSION)
    bad = [line for line in story.lines if line.is_bad]
    return {
        "name": name,
        "rows": rows,
        "story": story,
        "drawing": story.drawing,
        "first_bad": bad[0] if bad else None,
        "bad": len(bad),
        "most": MOST,
        "now": now,
    }


def _rows(name: str, teams: Teams) -> list[Row]:
    summaries = listing.of_session(name, teams)
    counts = listing.running([name], teams)
    return [Row(each, counts.get((each.session, each.team), 0)) for each in summaries]


def _fresh(talk: Talk, since: datetime | None) -> Talk:
    """The lines of a thread that may have changed."""
    return Talk(talk.thread, [line for line in talk.lines if since is None or _may_have_moved(line, since)])


def _may_have_moved(line: Line, since: datetime) -> bool:
    closed_at: datetime | None = line.call["closed_at"]
    return closed_at is None or closed_at >= since
