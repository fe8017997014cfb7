"""What was said in calls of a session, each without what the call before it said."""

from __future__ import annotations

from dataclasses import dataclass

from observability import queries
from observability.bodies.reading import Blobs
from observability.diffs.blocks import Block, request_blocks
from observability.models import CallRecord

from .delta import news


@dataclass(frozen=True, slots=True)
class Said:
    """What is new in a call: as the client sent it and as it was forwarded, as the model said it and the client got it.

    Forwarded and said are what they came from where no policy changed them.
    """

    asked: list[Block]
    forwarded: list[Block]
    said: list[Block]
    given: list[Block]


def said_in(call: CallRecord, shared: int, blobs: Blobs) -> Said:
    """The new blocks of a call of which `shared` steps are known. Calls of a session share most of their `blobs`."""
    asked = _news(call, "request_original", shared, blobs)
    forwarded = _news(call, "request_final", shared, blobs) if call.changed_request else asked
    said = queries.blocks(call, "response_original", blobs)
    if call.response_final == call.response_original:
        return Said(asked, forwarded, said, said)
    return Said(asked, forwarded, said, queries.blocks(call, "response_final", blobs))


def _news(call: CallRecord, name: str, shared: int, blobs: Blobs) -> list[Block]:
    request = queries.request(call, name, blobs)
    return [] if request is None else request_blocks(news(request, shared))
