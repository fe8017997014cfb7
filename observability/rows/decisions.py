"""Verdicts as rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from observability.text import clean, clean_name, json_text
from policies.verdicts import Decision


def decision_row(position: int, decision: Decision, *, late: bool) -> dict[str, Any]:
    """The row of a verdict, the `position`th of its call; its evidence as canonical JSON."""
    return {
        "position": position,
        "policy": clean_name(decision.policy),
        "version": decision.version,
        "mode": decision.mode,
        "hook": decision.hook,
        "block": clean_name(decision.block),
        "action": decision.action,
        "reason": clean(decision.reason),
        "at_ms": decision.at,
        "took_ms": decision.ms,
        # As the column gives it back: an integer and minus zero are not what a database keeps of a float.
        "score": None if decision.score is None else decision.score + 0.0,
        "evidence": None if decision.evidence is None else json_text(dict(decision.evidence)),
        "late": late,
    }


def policies_of(decisions: Sequence[dict[str, Any]]) -> str:
    """The policies that judged: `name@version, ...`."""
    return ", ".join(dict.fromkeys(f"{decision['policy']}@{decision['version']}" for decision in decisions))
