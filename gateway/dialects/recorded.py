"""What a recorded answer says, whole or cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from gateway.errors import UpstreamGarbled
from policies.content import Response
from policies.events import Accumulator, Event, Start, StreamTruncated

from .base import StreamReader


class Salvaging(StreamReader, Protocol):
    def salvage(self) -> list[Event]:
        """The complete blocks that were still kept back when the stream was cut."""
        ...


def fold_stream(raw: bytes, reader: Salvaging) -> list[Response]:
    """Fed a byte range at a time, so that what stands before a flaw is still told."""
    events: list[Event] = []
    try:
        for frame in raw.splitlines(keepends=True):
            events += reader.feed(frame)
        events += reader.close()
    except (UpstreamGarbled, StreamTruncated):
        events += reader.salvage()
    return fold_answers(events)


def fold_body(raw: bytes, read: Callable[[bytes], list[Event]]) -> list[Response]:
    try:
        return fold_answers(read(raw))
    except UpstreamGarbled:
        return []


def fold_answers(events: Iterable[Event]) -> list[Response]:
    """The Responses of `events`, one for each Start."""
    answers: list[Accumulator] = []
    for event in events:
        if isinstance(event, Start):
            answers.append(Accumulator())
        if answers:
            answers[-1].add(event)
    return [answer.response for answer in answers]
