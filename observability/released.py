"""What left for the client, block by block, and who had judged it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .attribution import Attributed, Decision
from .conversation import Card
from .presentation import Block

HOOKS = {"text": "on_text", "thinking": "on_thinking", "tool_call": "on_tool_call"}
NO_VERDICT = frozenset({"failed_open", "not_reached"})

Who = tuple[str, int]
"""A policy's name, and its version's number."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A released block: its row on record, its card on the page, and the verdicts that let it go.

    `missing` names the versions that should have judged it and of which no verdict is on record. `ours` says that the
    model did not write it: it is a notice, or a policy's text.
    """

    row: Any
    card: Card | None
    verdicts: Sequence[Decision]
    missing: Sequence[Who]

    @property
    def ours(self) -> bool:
        return self.card is not None and self.card.pair.original is None

    @property
    def judged_by(self) -> list[str]:
        """The versions that judged it, as policy@version, each once."""
        return list(dict.fromkeys(f"{each.policy}@{each.version}" for each in self.verdicts))


def entries(
    rows: Iterable[Any], cards: Iterable[Card], found: Attributed, duties: Mapping[Who, frozenset[str]]
) -> list[Entry]:
    """The released blocks in their order. `duties` are the hooks of the versions that were enforced on the call."""
    by_place = {card.final_at: card for card in cards if card.final_at is not None}
    return [_entry(row, by_place.get(row.position), found, duties) for row in rows]


def _entry(row: Any, card: Card | None, found: Attributed, duties: Mapping[Who, frozenset[str]]) -> Entry:
    if card is None or card.block.get("kind") != row.kind:
        # What was recorded cannot be read as it was released: nothing can be said of it.
        return Entry(row, None, (), ())
    whole = [each for each in found.answer if each.hook == "on_answer"]
    if card.pair.original is None:
        return Entry(row, card, whole, ())
    missing = [who for who, hooks in duties.items() if _lacks(who, hooks, card, card.pair.original, found)]
    return Entry(row, card, [*card.verdicts, *whole], missing)


def _lacks(who: Who, hooks: frozenset[str], card: Card, block: Block, found: Attributed) -> bool:
    """Whether a version has not judged what it should have."""
    required = {HOOKS.get(str(block.get("kind")), ""), "on_answer"} & hooks
    judged = [*card.verdicts, *(each for each in found.answer if _may_be_about(each, block))]
    return any(not any(_counts(each, who, hook, card) for each in judged) for hook in required)


def _may_be_about(verdict: Decision, block: Block) -> bool:
    """Whether a verdict that stands beside no block may be on this one: ids are exact, places are not."""
    if verdict.hook == "on_tool_call" and block.get("id"):
        return bool(verdict.block == f"tool_call {block['id']}")
    return True


def _counts(verdict: Decision, who: Who, hook: str, card: Card) -> bool:
    if (verdict.policy, verdict.version) != who or verdict.hook != hook:
        return False
    # A block that an earlier policy kept back did not have to be judged by the later ones.
    return verdict.action not in NO_VERDICT or (verdict.action == "not_reached" and not card.is_same)
