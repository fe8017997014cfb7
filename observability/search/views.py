"""The list of calls with its search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from observability.hiding import HIDDEN
from observability.text import clean, clean_name
from observability.viewers import for_reviewers, sees_bodies, teams_of

from .language import FIELDS, Part, QueryError, extended, parse, refuse_text
from .listing import VOCABULARY, page_of
from .suggesting import EXAMPLES, chips, choices, suggest

FILTERS = ("team", "key", "session", "model", "outcome", "policy", "action", "changed")
"""Filters that may stand in the address by themselves, as links of other pages have them."""
MOST_TYPED = 4_000


class Typed(NamedTuple):
    """A query as it was typed, and its parts, or why it has none."""

    text: str
    parts: tuple[Part, ...]
    error: QueryError | None = None


@require_safe
@for_reviewers
def calls(request: HttpRequest) -> HttpResponse:
    """The list, newest first. The query and `before`, the place of the page, are in the address: a link to share."""
    typed = typed_in(request)
    before = request.GET.get("before", "")
    context: dict[str, Any] = {
        "query": typed.text,
        "chips": chips(typed.text, typed.parts),
        "fields": FIELDS,
        "examples": EXAMPLES,
    }
    if typed.error is None:
        page = page_of(typed.parts, before=before, teams=teams_of(request.user), with_facets=True)
        context |= {
            "calls": page.calls,
            "choices": choices(typed.text, typed.parts, page.facets),
            "counted": page.counted,
            "older_url": _url(typed.text, page.older) if page.older else "",
            "newest_url": _url(typed.text) if before else "",
        }
    else:
        context |= marked(typed)
    return render(request, "calls/list.html", context, status=400 if typed.error else 200)


@require_safe
@for_reviewers
def suggestions(request: HttpRequest) -> HttpResponse:
    """How what is typed may go on, for the list under the search box."""
    text = _text(request)
    facets = page_of((), limit=1, teams=teams_of(request.user), with_facets=True).facets
    values = {name: [count.value for count in counts] for name, counts in facets.items()} | VOCABULARY
    return render(request, "calls/suggestions.html", {"suggestions": suggest(text, values)})


def _text(request: HttpRequest) -> str:
    return clean(request.GET.get("q", ""), MOST_TYPED)


def typed_in(request: HttpRequest, filters: Iterable[str] = FILTERS) -> Typed:
    """The query in the address; `filters` may stand there by themselves too."""
    text = _text(request).strip()
    for name in filters:
        if value := clean_name(request.GET.get(name, "")).strip():
            text = extended(
                text, *{"action": ("verdict", value), "changed": ("changed", "yes")}.get(name, (name, value))
            )
    try:
        parts = parse(text, timezone.now(), VOCABULARY)
        if not sees_bodies(request.user):
            refuse_text(parts, HIDDEN)
        return Typed(text, parts)
    except QueryError as error:
        return Typed(text, (), error)


def marked(typed: Typed) -> dict[str, Any]:
    """The error, and the query in three pieces, of which the middle one is at fault."""
    assert typed.error is not None
    text, start, end = typed.text, typed.error.start, typed.error.end
    return {
        "error": str(typed.error),
        "before_error": text[:start],
        "at_error": text[start:end],
        "after_error": text[end:],
    }


def _url(text: str, before: str = "") -> str:
    return f"?{urlencode({name: value for name, value in (('q', text), ('before', before)) if value})}"
