"""The list of calls with its search."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from observability.viewers import for_reviewers, teams_of

from .language import FIELDS
from .listing import VOCABULARY, page_of
from .suggesting import EXAMPLES, chips, choices, suggest
from .typed import marked, pages, text_of, typed_in

FILTERS = ("team", "key", "session", "model", "outcome", "policy", "action", "changed")
"""Filters that may stand in the address by themselves, as links of other pages have them."""


@require_safe
@for_reviewers
def calls(request: HttpRequest) -> HttpResponse:
    """The list, newest first. The query and `before`, the place of the page, are in the address: a link to share."""
    typed = typed_in(request, FILTERS)
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
            **pages({"q": typed.text}, before, page.older),
        }
    else:
        context |= marked(typed)
    return render(request, "calls/list.html", context, status=400 if typed.error else 200)


@require_safe
@for_reviewers
def suggestions(request: HttpRequest) -> HttpResponse:
    """How what is typed may go on, for the list under the search box."""
    text = text_of(request)
    facets = page_of((), limit=1, teams=teams_of(request.user), with_facets=True).facets
    values = {name: [count.value for count in counts] for name, counts in facets.items()} | VOCABULARY
    return render(request, "calls/suggestions.html", {"suggestions": suggest(text, values)})
