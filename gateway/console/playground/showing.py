"""A replay as its page shows it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, assert_never

from gateway.console.replay.results import Replayed
from observability.diffs.blocks import Side
from policies.events import Aside, BlockDelta, BlockEnd, BlockStart, End, Event, Failure, Start
from policies.verdicts import Decision

MOST_STEPS = 400
PREVIEW = 64 * 1024
"""Bytes of a body that are shown."""
_LONGEST = 400
_COLUMNS = ("policy", "version", "mode", "hook", "block", "action", "reason")
FATE_TONES = {"allowed": "allowed", "rewritten": "changed", "blocked": "blocked", "undecided": "failed"}


@dataclass(frozen=True, slots=True)
class Told:
    """An event in words."""

    kind: str
    text: str = ""


def verdicts(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
    """Decisions as the table of a call's verdicts has them."""
    return [
        {
            **{name: getattr(each, name) for name in _COLUMNS},
            "at_ms": each.at,
            "took_ms": each.ms,
        }
        for each in decisions
    ]


def spent(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
    """How often each hook decided, and how many milliseconds that took in all and at most, the longest first."""
    times: dict[tuple[str, str], list[float]] = {}
    for each in decisions:
        times.setdefault((each.policy, each.hook), []).append(each.ms)
    rows = [
        {"policy": policy, "hook": hook, "count": len(took), "total": sum(took), "longest": max(took)}
        for (policy, hook), took in times.items()
    ]
    return sorted(rows, key=lambda row: row["total"], reverse=True)


def sides(result: Replayed) -> dict[str, Side]:
    """Request and answer, before and after. Where nothing was sent or answered, there is no after."""
    before, after = result.answer_before, result.answer_after
    changed_request = result.sent is not None and result.request_before != result.request_after
    return {
        "request": Side(changed=changed_request, original=result.request_before, final=result.request_after),
        "answer": Side(changed=before != after, original=before, final=after),
    }


def steps(result: Replayed) -> list[dict[str, list[Told]]]:
    """Which events came, and what each let go."""
    return [
        {"came": [told(event) for event in step.came], "released": [told(event) for event in step.released]}
        for step in result.steps[:MOST_STEPS]
    ]


def told(event: Event) -> Told:
    match event:
        case Start():
            return Told("start", event.model)
        case BlockStart():
            return Told(f"{event.kind.replace('_', ' ')} begins", event.name or event.type)
        case BlockDelta():
            return Told("delta", _short(event.text))
        case BlockEnd():
            return Told("block ends")
        case End():
            return Told("end", event.stop_reason)
        case Failure():
            return Told("failure", _short(f"{event.type}: {event.message}"))
        case Aside():
            return Told("aside")
        case _:
            assert_never(event)


def wires(result: Replayed) -> Iterator[dict[str, Any]]:
    """Bodies as they would leave: to the provider, where it is not what the client sent, and to the client."""
    if result.forwarded is not None and result.changed_request:
        yield _body("Request, as it would go to the provider", result.forwarded)
    if result.wire:
        yield _body("Answer, as the client would get it", result.wire)


def _body(title: str, raw: bytes) -> dict[str, Any]:
    text = raw[:PREVIEW].decode(errors="replace")
    return {"title": title, "text": text, "cut": len(raw) > PREVIEW, "shown": PREVIEW, "size": len(raw)}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
