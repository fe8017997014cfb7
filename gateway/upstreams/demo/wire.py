"""What the demo provider's dialects have in common. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import orjson

from gateway.upstreams.demo.script import Cut, Fail, Pace, Pause, Prompt, Turn


class Malformed(ValueError):
    """A request that the provider would refuse; the text says why."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Silence on the wire, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Close:
    """The connection closes here, whatever was announced."""


T = TypeVar("T")
Part = bytes | Wait | Close


class Wire(Protocol):
    """One dialect, as a provider speaks it."""

    def read(self, body: dict[str, Any], seed: str) -> Prompt:
        """Raises Malformed."""
        ...

    def stream(self, prompt: Prompt, turn: Turn) -> Iterator[Part | Pace]:
        """The frames of a streamed answer, one event each."""
        ...

    def whole(self, prompt: Prompt, turn: Turn) -> bytes: ...

    def error(self, status: int, message: str, seed: str) -> bytes: ...

    def models(self, names: Iterable[str]) -> bytes: ...


def seed_of(body: bytes) -> str:
    """A hash of a request, in hex: every id of its answer is part of it."""
    return hashlib.sha256(body).hexdigest()


def what_is_asked(body: dict[str, Any]) -> bytes:
    """A request without how it was written down and how its usage is told: the same question has the same answer."""
    asked = {name: value for name, value in body.items() if name != "stream_options"}
    return orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)


def between(step: Pause | Pace | Fail | Cut, failure: bytes) -> Part | Pace:
    """What a step without content does to a stream; `failure` is the dialect's frame for an error in mid-stream."""
    match step:
        case Pause():
            return Wait(step.seconds)
        case Pace():
            return step
        case Fail():
            return failure
        case Cut():
            return Close()


def paced(parts: Iterable[Part | Pace]) -> Iterator[Part]:
    """`parts` with the waits that a pace puts before each event."""
    pace = 0.0
    for part in parts:
        if isinstance(part, Pace):
            pace = part.seconds
            continue
        if pace and isinstance(part, bytes):
            yield Wait(pace)
        yield part


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object of a request. Raises Malformed."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("The body is not JSON.") from None
    if not isinstance(parsed, dict):
        raise Malformed("The body is not a JSON object.")
    return parsed


def required(body: dict[str, Any], name: str, kind: type[T]) -> T:
    value = body.get(name)
    if not isinstance(value, kind):
        raise Malformed(f"{name}: field required")
    return value
