"""What was said in calls of a session, each without what the call before it said."""

from __future__ import annotations

from dataclasses import dataclass

from .. import queries
from ..diff import Block, request_blocks, response_blocks
from ..models import CallRecord
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


def said_in(call: CallRecord, shared: int) -> Said:
    """The new blocks of a call of which `shared` steps are known."""
    asked = _news(call, "request_original", shared)
    forwarded = _news(call, "request_final", shared) if call.changed_request else asked
    said = response_blocks(queries.answers(call, "response_original"))
    if call.response_final == call.response_original:
        return Said(asked, forwarded, said, said)
    return Said(asked, forwarded, said, response_blocks(queries.answers(call, "response_final")))


def _news(call: CallRecord, name: str, shared: int) -> list[Block]:
    request = queries.request(call, name)
    return [] if request is None else request_blocks(news(request, shared))
