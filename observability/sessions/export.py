"""A session as JSON Lines: an object a call, in the order in which they began, each with what was new in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import orjson

from observability import queries, shapes
from observability.activity.history import read
from observability.bodies.reading import Blobs
from observability.hiding import hide
from observability.models import CallRecord
from observability.viewers import Sight

from .bodies import said_in
from .reading import Line, Talk, story_of

AT_ONCE = 20
"""Calls that are read at a time, in a thread that may not be kept for long."""


async def lines_of(session: str, sight: Sight) -> AsyncIterator[bytes]:
    """The lines, a few at a time. Keys are a contract, as those of the debug API are."""
    talks = await read(_talks, session, sight)
    in_order = sorted(
        ((line, talk) for talk in talks for line in talk.lines),
        key=lambda pair: (pair[0].call["started_at"], pair[0].call["id"]),
    )
    for start in range(0, len(in_order), AT_ONCE):
        yield await read(_lines, in_order[start : start + AT_ONCE], sight.bodies)


def _talks(session: str, sight: Sight) -> list[Talk]:
    return story_of(session, sight, most=None).talks


def _lines(pairs: Sequence[tuple[Line, Talk]], bodies: bool) -> bytes:
    return b"".join(orjson.dumps(each) + b"\n" for each in _objects(pairs, bodies))


def _objects(pairs: Sequence[tuple[Line, Talk]], bodies: bool) -> Iterator[dict[str, Any]]:
    records = CallRecord.objects.prefetch_related("decisions").in_bulk([line.call["id"] for line, _ in pairs])
    blobs = queries.readable_blobs(*records.values())
    for line, talk in pairs:
        if (record := records.get(line.call["id"])) is not None:
            yield _object(record if bodies else hide(record), line, talk, blobs)


def _object(record: CallRecord, line: Line, talk: Talk, blobs: Blobs) -> dict[str, Any]:
    said = said_in(record, line.turn.shared, blobs)
    thread = talk.thread
    return {
        **shapes.summary(record),
        "bodies_hidden": record.bodies_hidden,
        "thread": {"id": thread.id, "kind": thread.kind, "under": thread.under or None, "tool": thread.tool or None},
        "after": line.turn.after or None,
        "verdicts": [shapes.verdict(decision) for decision in record.decisions.all()],
        "new": {
            "request": {"original": said.asked, "final": said.forwarded},
            "response": {"original": said.said, "final": said.given},
        },
    }
