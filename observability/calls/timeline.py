"""A call's time as a picture: a lane for each kind of step, with what happened in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .attribution import Decision

SCALE = 1000
"""Units that a call spans, as in the viewBox of its drawing."""
THIN = 4
"""Units below which nothing could be seen."""


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time, or happened: milliseconds since the call began, and the same in units of SCALE."""

    title: str
    start: float
    end: float
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Lane:
    """Spans of one kind. `ms` is from the first one's start to the last one's end; None where they only happened."""

    label: str
    tone: str
    spans: Sequence[Span]
    ms: float | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Lanes on one scale, and the milliseconds at its quarters."""

    lanes: Sequence[Lane]
    marks: Sequence[float]


def timeline(call: Any, decisions: Iterable[Decision], released: Iterable[Any]) -> Timeline | None:
    """The picture of a call that is over, from its record, its decisions and its released blocks."""
    total = call.total_ms
    if total is None:
        return None
    in_time = [each for each in decisions if not each.late]
    lanes = [lane for lane in _lanes(call, total, in_time, released) if lane.spans]
    return Timeline(lanes, [total * quarter / 4 for quarter in range(5)])


def _lanes(call: Any, total: float, decisions: Sequence[Decision], released: Iterable[Any]) -> Iterator[Lane]:
    asked = [each for each in decisions if each.hook == "ask"]
    on_request = [each for each in decisions if each.hook != "ask" and each.block == "request"]
    on_answer = [each for each in decisions if each.hook != "ask" and each.block != "request"]
    head, first = call.upstream_head_ms, call.first_event_ms
    sent = min(max((each.at_ms + each.took_ms for each in on_request), default=0.0), total if head is None else head)
    yield _steps("Request policies", "policy", map(_verdict, on_request), total)
    yield _steps("Judges asked", "judge", (("", each.at_ms, each.took_ms) for each in asked), total)
    if head is not None:
        yield _steps("Provider, until it answers", "idle", [("", sent, head - sent)], total)
    if head is not None and first is not None:
        yield _steps("Until its first event", "idle", [("", head, first - head)], total)
    if first is not None:
        yield _steps("The answer", "", [("", first, total - first)], total)
    yield _steps("Verdicts on the answer", "policy", map(_verdict, on_answer), total)
    ticks = [_span(f"{each.kind} {each.tool_name}".strip(), each.released_at_ms, 0.0, total) for each in released]
    yield Lane("Blocks released", "released", ticks, None)


def _verdict(decision: Decision) -> tuple[str, float, float]:
    return f"{decision.policy}@{decision.version} {decision.action}", decision.at_ms, decision.took_ms


def _steps(label: str, tone: str, steps: Iterable[tuple[str, float, float]], total: float) -> Lane:
    spans = [_span(title or label, start, took, total) for title, start, took in steps]
    took = max(span.end for span in spans) - min(span.start for span in spans) if spans else None
    return Lane(label, tone, spans, took)


def _span(title: str, start: float, took: float, total: float) -> Span:
    """A span on the scale: inside it, and never too thin to be seen."""
    end = start + max(took, 0.0)
    unit = SCALE / total if total > 0 else 0.0
    width = min(max(round((end - start) * unit), THIN), SCALE)
    return Span(title, start, end, min(max(round(start * unit), 0), SCALE - width), width)
