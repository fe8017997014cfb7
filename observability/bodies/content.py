"""Reading recorded bodies as neutral content, through readers that the gateway's dialects register at the start."""

from __future__ import annotations

from typing import Protocol

import structlog

from policies.content import Request, Response

log = structlog.get_logger(__name__)


class Reader(Protocol):
    """The part of a dialect that the record needs."""

    def read_request(self, body: bytes) -> Request: ...

    def read_recorded(self, raw: bytes, streamed: bool) -> list[Response]: ...


_readers: dict[str, Reader] = {}


def register(dialect: str, reader: Reader) -> None:
    """Bodies of `dialect` are read by `reader` from now on."""
    _readers[dialect] = reader


def read_request(dialect: str, body: bytes) -> Request | None:
    """What a recorded request asks for, or None where that cannot be read."""
    reader = _readers.get(dialect)
    if reader is None:
        return None
    try:
        return reader.read_request(body)
    except Exception as error:
        # Bad requests are on record too, and no page may fail over one.
        log.info("a recorded request cannot be read", dialect=dialect, error=type(error).__name__)
        return None


def read_answers(dialect: str, raw: bytes, streamed: bool) -> list[Response]:
    """What a recorded answer says, a Response a choice; nothing where it cannot be read."""
    reader = _readers.get(dialect)
    return [] if reader is None else reader.read_recorded(raw, streamed)
