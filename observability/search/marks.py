"""Marks: what can be asked of a call beside its text, each as one word of the search index. Pure.

A mark is `q` and the hexadecimal digits of `name:value`, because a tokenizer would take anything else apart. Numbers
are marked by the step of a scale that they are on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from math import inf
from typing import NamedTuple, Protocol

ANY = "qany"
"""The mark that every call has."""
MOST_BYTES = 400
"""Of a value, the bytes that count."""
STEPS = tuple(digit * 10**power for power in range(10) for digit in (1, 2, 5))
"""Of milliseconds and of microdollars. What a range cuts through is compared exactly, and a step is never far away."""


REVIEWED = {
    "block": "blocked",
    "stop": "blocked",
    "replace": "changed",
    "respond": "changed",
    "failed_closed": "failed",
    "failed_open": "failed",
}
"""What decisions people are to look at, and under which kind. Refusals are of limits, which count and do not judge."""
REPORTED = "reported"


class Judgement(NamedTuple):
    """That a version of a policy decided so; `is_reviewed` once somebody labelled it, or the call as a whole."""

    policy: str
    version: int
    action: str
    is_reviewed: bool = False


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


def marks_of(call: Call, judgements: Sequence[Judgement], tools: Iterable[str], labels: Collection[str] = ()) -> str:
    """All marks of a call, each once, with spaces between them. Empty names are not marked."""
    marks = (ANY, *_marks(call, judgements, tools), *_review_marks(judgements, labels))
    return " ".join(dict.fromkeys(marks))


def relabelled(marks: str, judgements: Iterable[Judgement], labels: Collection[str]) -> str:
    """`marks` of a call with these judgements, now that people gave it `labels`."""
    kept = (word for word in marks.split(" ") if read(word)[0] not in ("label", "review"))
    return " ".join(dict.fromkeys((*kept, *_review_marks(judgements, labels))))


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
    for policy, version, action, _ in judgements:
        yield mark("policy", policy)
        yield mark("version", f"{policy}@{version}")
        yield mark("verdict", action)
        yield mark("judged", f"{action}:{policy}")
        yield mark("judged", f"{action}:{policy}@{version}")


def _review_marks(judgements: Iterable[Judgement], labels: Collection[str]) -> Iterator[str]:
    """Labels, and what waits for one; a client's report until people said anything."""
    yield from (mark("label", label) for label in labels)
    if set(labels) == {REPORTED}:
        yield mark("review", REPORTED)
    for judgement in judgements:
        if (kind := REVIEWED.get(judgement.action)) and not judgement.is_reviewed:
            yield mark("review", kind)
            yield mark("review", f"{kind}:{judgement.policy}")


def _changed(call: Call) -> Iterator[str]:
    yield "yes" if call.changed_request or call.changed_response else "no"
    if call.changed_request:
        yield "request"
    if call.changed_response:
        yield "answer"
