"""Marks: what can be asked of a call beside its text, each as one word of the search index. Pure.

A mark is `q` and the hexadecimal digits of `name:value`, because a tokenizer would take anything else apart. Numbers
are marked by the step of a scale that they are on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from math import inf
from typing import NamedTuple, Protocol

ANY = "qany"
"""The mark that every call has."""
MOST_BYTES = 400
"""Of a value, the bytes that count."""
STEPS = tuple(digit * 10**power for power in range(10) for digit in (1, 2, 5))
"""Of milliseconds and of microdollars. What a range cuts through is compared exactly, and a step is never far away."""


class Judgement(NamedTuple):
    """That a version of a policy decided so."""

    policy: str
    version: int
    action: str


class Call(Protocol):
    """The columns of a call record that are marked."""

    team: str
    key: str
    session: str
    model: str
    provider: str
    outcome: str
    status: int | None
    changed_request: bool
    changed_response: bool
    cost_microdollars: int | None
    total_ms: float | None


def mark(name: str, value: object) -> str:
    """The mark of a call of which this is so."""
    said = f"{name}:{value}".encode("utf-8", "replace")[:MOST_BYTES]
    return f"q{said.hex()}"


def read(word: str) -> tuple[str, str]:
    """What a mark says: a name and a value; two empty ones for ANY."""
    if word == ANY:
        return "", ""
    name, _, value = bytes.fromhex(word[1:]).decode("utf-8", "replace").partition(":")
    return name, value


def marks_of(call: Call, judgements: Iterable[Judgement], tools: Iterable[str]) -> str:
    """All marks of a call, each once, with spaces between them. Empty names are not marked."""
    return " ".join(dict.fromkeys((ANY, *_marks(call, judgements, tools))))


def steps(name: str, low: float, high: float) -> tuple[str, ...]:
    """The marks of all steps that have numbers from `low` to `high`."""
    first = bisect_right(STEPS, low) if low > -inf else 0
    last = bisect_right(STEPS, high) if high < inf else len(STEPS)
    return tuple(mark(name, step) for step in range(first, last + 1))


def _marks(call: Call, judgements: Iterable[Judgement], tools: Iterable[str]) -> Iterator[str]:
    for name in ("team", "key", "session", "model", "provider", "outcome"):
        if value := getattr(call, name):
            yield mark(name, value)
    if call.status is not None:
        yield mark("status", call.status)
    yield from (mark("changed", value) for value in _changed(call))
    if call.cost_microdollars is not None:
        yield mark("cost", bisect_right(STEPS, call.cost_microdollars))
    if call.total_ms is not None:
        yield mark("latency", bisect_right(STEPS, call.total_ms))
    yield from (mark("tool", tool) for tool in tools if tool)
    for policy, version, action in judgements:
        yield mark("policy", policy)
        yield mark("version", f"{policy}@{version}")
        yield mark("verdict", action)
        yield mark("judged", f"{action}:{policy}")
        yield mark("judged", f"{action}:{policy}@{version}")


def _changed(call: Call) -> Iterator[str]:
    yield "yes" if call.changed_request or call.changed_response else "no"
    if call.changed_request:
        yield "request"
    if call.changed_response:
        yield "answer"
