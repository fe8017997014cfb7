"""Recorded answers, written by the providers' documentation and the reports of odd servers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from gateway.dialects import DIALECTS, OPENAI_EMBEDDINGS, Dialect
from policies.content import Request
from policies.events import Event

STREAMED: dict[str, Dialect] = {name: dialect for name, dialect in DIALECTS.items() if dialect is not OPENAI_EMBEDDINGS}
"""The dialects of answers that have blocks."""

_HERE = Path(__file__).parent


def recordings(dialect: str) -> list[tuple[str, bytes]]:
    """Every recorded stream of a dialect: its name and its bytes."""
    return _read(dialect, ".sse")


def answers(dialect: str) -> list[tuple[str, bytes]]:
    """Every recorded whole answer; where a stream has the same name, both say the same."""
    return _read(dialect, ".json")


def request_for(name: str, usage_wanted: bool = True) -> Request:
    """The request that was answered by the recording of that name."""
    options = {"stream_options": {"include_usage": True}} if usage_wanted else {}
    choices = 2 if name.startswith("two_choices") else 1
    return Request("model", stream=True, choices=choices, source={"model": "model", **options})


def _read(dialect: str, suffix: str) -> list[tuple[str, bytes]]:
    paths = sorted((_HERE / dialect).glob(f"*{suffix}"))
    assert paths, f"no {suffix} recordings of {dialect}"
    return [(path.stem, path.read_bytes()) for path in paths]


def detached(event: Event) -> Event:
    """The event without its frame, as one that a policy edited comes to a writer; its source stays."""
    return event if event.frame is None else dataclasses.replace(event, frame=None)
