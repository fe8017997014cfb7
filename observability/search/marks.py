"""Marks: what can be asked of a call beside its text, each as one word of the search index. Pure.

A mark is `q` and `name:value`, in which all but small letters and digits is `q` and a byte's two hexadecimal digits,
because a tokenizer would take anything else apart. Numbers are marked by the step of a scale that they are on.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from math import inf
from typing import NamedTuple, Protocol

ANY = "qany"
"""The mark that every call has."""
MOST_BYTES = 400
"""Of a value, the bytes that count."""
STEPS = tuple(10 ** (place / 20) for place in range(200))
"""Of milliseconds and of microdollars, each an eighth above the one before. What a range cuts through is compared
exactly, and that should not be many calls."""
NONE = "none"
"""The step of calls that have no such number."""
_OTHER = re.compile(rb"[^a-pr-z0-9]")
_BYTE = re.compile(rb"q(..)")


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


@lru_cache(4096)
def mark(name: str, value: str | int) -> str:
    """The mark of a call of which this is so."""
    said = f"{name}:{value}".encode("utf-8", "replace")[:MOST_BYTES]
    return "q" + _OTHER.sub(lambda other: b"q%02x" % ord(other[0]), said).decode()


def read(word: str) -> tuple[str, str]:
    """What a mark says: a name and a value; two empty ones for ANY."""
    if word == ANY:
        return "", ""
    said = _BYTE.sub(lambda digits: bytes((int(digits[1], 16),)), word[1:].encode())
    name, _, value = said.decode("utf-8", "replace").partition(":")
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
    return tuple(mark(name, step) for step in range(_step(low), _step(high) + 1))


def other_steps(name: str, low: float, high: float) -> tuple[str, ...]:
    """The marks of all steps that have numbers below `low` or above `high`, or none."""
    below = range(_step(low) + 1) if low > -inf else ()
    above = range(_step(high), len(STEPS) + 1) if high < inf else ()
    return tuple(mark(name, step) for step in (NONE, *dict.fromkeys((*below, *above))))


def _step(number: float) -> int:
    return bisect_right(STEPS, number)


def _step_of(number: float | None) -> int | str:
    return NONE if number is None else _step(number)


def _marks(call: Call, judgements: Iterable[Judgement], tools: Iterable[str]) -> Iterator[str]:
    for name in ("team", "key", "session", "model", "provider", "outcome"):
        if value := getattr(call, name):
            yield mark(name, value)
    if call.status is not None:
        yield mark("status", call.status)
    yield from (mark("changed", value) for value in _changed(call))
    yield mark("cost", _step_of(call.cost_microdollars))
    yield mark("latency", _step_of(call.total_ms))
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
