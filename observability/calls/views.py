"""The page of one call, and what it fetches of its bodies."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from observability import queries
from observability.bodies.recipes import PayloadDamaged
from observability.models import CallRecord
from observability.viewers import for_reviewers
from observability.viewing import record_for

from .conversation import turns
from .page import PAYLOADS
from .pictures import picture
from .story import image, request_cards, story

CARDS = 60
"""Blocks of a long request that are fetched at once."""
PREVIEW = 256 * 1024
"""Bytes of a body that the call page shows; the rest is there to download."""


@require_safe
@for_reviewers
def call(request: HttpRequest, id: str) -> HttpResponse:
    """One call, whole."""
    record = record_for(request, id, "page")
    return render(request, "calls/call.html", {**story(record), "bodies": _bodies(record)})


@require_safe
@for_reviewers
def call_cards(request: HttpRequest, id: str, first: int, last: int) -> HttpResponse:
    """Blocks of the request, those from `first` to `last`, as turns; at most CARDS of them, and how to get the rest."""
    record = record_for(request, id, "page")
    shown = request_cards(record, first, min(last, first + CARDS - 1))
    after = first + len(shown)
    more = (after, last) if shown and after <= last else None
    return render(request, "calls/turns.html", {"call": record, "turns": turns(shown), "part": "request", "more": more})


@require_safe
@for_reviewers
def call_block(request: HttpRequest, id: str, part: str, side: str, place: int) -> HttpResponse:
    """One block, whole."""
    record = record_for(request, id, "page")
    if f"{part}_{side}" not in PAYLOADS:
        raise Http404
    found = queries.blocks(record, f"{part}_{side}")
    if place >= len(found):
        raise Http404
    image_url = reverse("call-image", args=[id, side, place]) if part == "request" else ""
    return render(request, "calls/block.html", {"block": found[place], "image_url": image_url})


@require_safe
@for_reviewers
def call_image(request: HttpRequest, id: str, side: str, place: int, number: int = 0) -> HttpResponse:
    """An image of the request, or the one of that number in a tool's result; from the record alone."""
    record = record_for(request, id, "page")
    if f"request_{side}" not in PAYLOADS:
        raise Http404
    url = picture(image(record, f"request_{side}", place, number))
    return render(request, "calls/picture.html", {"url": url})


@require_safe
@for_reviewers
def body(request: HttpRequest, id: str, payload: str) -> HttpResponse:
    """A body as it was on the wire, to download. Never shown as what it says it is: models write HTML too."""
    try:
        raw = _payload(request, id, payload)
    except PayloadDamaged as error:
        raise Http404 from error
    headers = {"Content-Disposition": f'attachment; filename="{payload}.txt"'}
    return HttpResponse(raw, content_type="text/plain; charset=utf-8", headers=headers)


@require_safe
@for_reviewers
def body_preview(request: HttpRequest, id: str, payload: str) -> HttpResponse:
    """The beginning of a body, for the call page."""
    try:
        raw = _payload(request, id, payload)
    except PayloadDamaged:
        return render(request, "calls/raw.html", {"damaged": True})
    text = raw[:PREVIEW].decode(errors="replace")
    return render(
        request, "calls/raw.html", {"text": text, "cut": len(raw) > PREVIEW, "shown": PREVIEW, "size": len(raw)}
    )


def _payload(request: HttpRequest, id: str, name: str) -> bytes:
    if name not in PAYLOADS:
        raise Http404
    raw = queries.payload(record_for(request, id, name), name)
    if raw is None:
        raise Http404
    return raw


def _bodies(record: CallRecord) -> list[dict[str, str]]:
    return [
        {
            "title": title,
            "url": reverse("call-body", args=[record.pk, name]),
            "preview_url": reverse("call-body-preview", args=[record.pk, name]),
        }
        for name, title in PAYLOADS.items()
        if getattr(record, name) is not None
    ]
