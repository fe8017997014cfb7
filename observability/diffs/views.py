"""The diff pages: what policies changed in a call, and two calls beside each other."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from observability.models import CallRecord
from observability.text import clean_name
from observability.viewers import for_reviewers
from observability.viewing import record_for

from .page import Place, Section, opened, shown
from .sections import of_call, of_two

LONGEST_ID = 200
"""Characters of an id that are looked for."""


@require_safe
@for_reviewers
def call_diff(request: HttpRequest, id: str) -> HttpResponse:
    """Original and final of one call."""
    return _of_call(request, record_for(request, id, "diff"))


@require_safe
@for_reviewers
def compare(request: HttpRequest) -> HttpResponse:
    """`?call=ID`: as `call_diff`. With `&other=ID` one call against the other; with neither, a form that asks."""
    ids = [clean_name(request.GET.get(name, "")).strip()[:LONGEST_ID] for name in ("call", "other")]
    if not ids[0]:
        return render(request, "calls/compare.html", {"calls": ids})
    try:
        records = [record_for(request, id, "diff") for id in ids if id]
    except Http404:
        return render(request, "calls/compare.html", {"calls": ids, "missing": True}, status=404)
    if len(records) == 1:
        return _of_call(request, records[0])
    sections = of_two(records[0], records[1], _as_json(request))
    context = {"calls": records, "heads": ("One call", "The other"), "base": _base(request)}
    return _answer(request, sections, context)


def _of_call(request: HttpRequest, record: CallRecord) -> HttpResponse:
    sections = of_call(record, _as_json(request))
    context = {
        "call": record,
        "heads": ("Original", "Final"),
        "base": f"{reverse('call-diff', args=[record.pk])}?",
        "is_running": record.outcome == "open",
    }
    return _answer(request, sections, context)


def _answer(request: HttpRequest, sections: list[Section], context: Mapping[str, object]) -> HttpResponse:
    """The page; or, where the query names a `part`, what stands folded there; or the comparison alone, as `live`."""
    as_json = _as_json(request)
    context = {**context, "as_json": as_json, "view": "inline" if request.GET.get("view") == "inline" else "side"}
    part = next((section for section in sections if section.id == request.GET.get("part")), None)
    if part is not None:
        return render(request, "calls/diff_opened.html", {**context, **opened(part, _place(request))})
    template = "calls/diff_parts.html" if "live" in request.GET else "calls/diff.html"
    return render(request, template, {**context, "parts": [shown(section) for section in sections]})


def _place(request: HttpRequest) -> Place:
    try:
        return Place.read(*(request.GET.get(name, "") for name in ("blocks", "block", "rows")))
    except ValueError as error:
        raise Http404 from error


def _as_json(request: HttpRequest) -> bool:
    return request.GET.get("as") == "json"


def _base(request: HttpRequest) -> str:
    """The address of this comparison, ready for more of a query."""
    query = request.GET.copy()
    for name in set(query) - {"call", "other"}:
        del query[name]
    return f"{request.path}?{query.urlencode()}&"
