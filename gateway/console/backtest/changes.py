"""How what becomes of a call differs between two sets of policies. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from gateway.console.replay.results import BLOCKING, Fate, Replayed
from observability.diffs.blocks import Block

Change = Literal["newly_blocked", "newly_allowed", "rewritten", "unchanged", "unknown"]
CHANGES: dict[Change, str] = {
    "newly_blocked": "Newly blocked",
    "newly_allowed": "Newly allowed",
    "rewritten": "Rewritten otherwise",
    "unchanged": "Unchanged",
    "unknown": "Not known",
}
"""In the order in which people look for them."""
_KEPT_BACK = frozenset({"blocked", "refused"})
WHOLE = frozenset({"finished", "blocked", "refused"})
"""Outcomes of calls of which the client got all that it was to get."""


def change(before: str, after: str, same: bool) -> Change:
    """What became of a call before and after; `same` says that its client got the same both times."""
    if "undecided" in (before, after):
        return "unknown"
    if before != after and "blocked" in (before, after):
        return "newly_blocked" if after == "blocked" else "newly_allowed"
    return "unchanged" if same and before == after else "rewritten"


def recorded_fate(outcome: str, changed: bool, actions: Iterable[str]) -> Fate:
    """What became of a recorded call; `actions` are those of the policies in force that count."""
    done = set(actions)
    if outcome in _KEPT_BACK or done & BLOCKING:
        return "blocked"
    return "rewritten" if changed or done & {"replace", "respond"} else "allowed"


def alike(one: Replayed, other: Replayed) -> bool:
    """Whether provider and client get the same from both."""
    return (one.request_after, one.answer_after, one.known) == (other.request_after, other.answer_after, other.known)


def gives(result: Replayed, request: Sequence[Block], answer: Sequence[Block]) -> bool:
    """Whether `result` sends that request on, and gives that answer."""
    return (result.request_after, result.answer_after) == (list(request), list(answer))
