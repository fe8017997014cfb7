"""All that the page of one call shows, read from its record in one go."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from observability import queries
from observability.bodies.reading import Blobs
from observability.diffs.blocks import Side, images_of, request_content
from observability.models import CallRecord
from policies.content import Image

from .attribution import attributed
from .conversation import Card, cards, sections, turns
from .deeds import deeds
from .duties import duties
from .page import header_lists
from .released import entries
from .timeline import timeline


def story(call: CallRecord) -> dict[str, Any]:
    """The context of the page: the conversation, what policies did to it, and what left for the client when."""
    decisions = list(call.decisions.all())
    released = list(call.blocks.all())
    blobs = queries.readable_blobs(call)
    said = _answer(call, blobs)
    found = attributed(said["original"], decisions)
    answer = cards(said, found.blocks, withheld=_withheld(call, "response_original"))
    return {
        "call": call,
        "verdicts": decisions,
        "found": found,
        "sections": sections(_request(call, blobs)),
        "answer": turns(answer),
        "deeds": deeds(found, answer),
        "released": entries(released, answer, found, duties(call, decisions)),
        "timeline": timeline(call, decisions, released),
        "withheld": [note["text"] for note in call.notes if note["kind"] == "withheld"],
        "header_lists": header_lists(call),
        "trace_url": settings.LUTHIEN_TRACE_URL.replace("{trace_id}", call.trace_id) if call.trace_id else "",
    }


def _request(call: CallRecord, blobs: Blobs) -> list[Card]:
    original = queries.blocks(call, "request_original", blobs)
    withheld = _withheld(call, "request_original")
    final = queries.blocks(call, "request_final", blobs) if call.changed_request or withheld else original
    # What was changed and then not sent was not changed for anybody.
    return cards(Side(changed=call.changed_request and bool(final), original=original, final=final), withheld=withheld)


def _answer(call: CallRecord, blobs: Blobs) -> Side:
    original, final = (queries.blocks(call, name, blobs) for name in ("response_original", "response_final"))
    # Without an answer of a provider, what the client got was made by a policy; and not every client got all of it.
    ours = bool(final) and call.response_original is None
    cut = call.outcome not in ("finished", "open") and not call.upstream_dialect and original != final
    return Side(changed=call.changed_response or ours or cut, original=original, final=final)


def _withheld(call: CallRecord, original: str) -> bool:
    """Whether a policy kept that body off the record."""
    return getattr(call, original) is None and any(note["kind"] == "withheld" for note in call.notes)


def request_cards(call: CallRecord, first: int, last: int) -> list[Card]:
    """The cards of the request from number `first` to `last`, both counted."""
    return _request(call, queries.readable_blobs(call))[first : last + 1]


def image(call: CallRecord, payload: str, place: int, number: int = 0) -> Image | None:
    """Image `number` of block number `place` of a recorded request, if there is one; only a tool's result may have
    more than one.
    """
    request = queries.request(call, payload)
    found = list(request_content(request))[place : place + 1] if request is not None else []
    images = images_of(found[0]) if found else []
    return images[number] if number < len(images) else None
