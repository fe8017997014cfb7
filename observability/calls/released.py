"""What left for the client, block by block, and who had judged it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from .attribution import Attributed, Decision
from .conversation import Card

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
        """The versions without whose verdict it would not have left, as policy@version, each once."""
        enforced = [each for each in self.verdicts if each.mode == "enforce" and each.action not in NO_VERDICT]
        return list(dict.fromkeys(f"{each.policy}@{each.version}" for each in enforced))


def entries(
    rows: Iterable[Any], cards: Iterable[Card], found: Attributed, duties: Mapping[Who, frozenset[str]]
) -> list[Entry]:
    """The released blocks in their order. `duties` are the hooks of the versions that were enforced on the call."""
    by_place = {card.final_at: card for card in cards if card.final_at is not None}
    said = Counter(_kind(card) for card in by_place.values() if card.pair.original is not None)
    return [_entry(row, by_place.get(row.position), found, duties, said) for row in rows]


def _entry(
    row: Any, card: Card | None, found: Attributed, duties: Mapping[Who, frozenset[str]], said: Mapping[str, int]
) -> Entry:
    if card is None or card.block.get("kind") != row.kind:
        # What was recorded cannot be read as it was released: nothing can be said of it.
        return Entry(row, None, (), ())
    whole = [each for each in found.answer if each.hook == "on_answer"]
    if card.pair.original is None:
        return Entry(row, card, whole, ())
    verdicts = [*card.verdicts, *whole]
    missing = [who for who, hooks in duties.items() if _lacks(who, hooks, card, found, said)]
    failed = [
        (each.policy, each.version) for each in verdicts if each.action == "failed_open" and each.mode == "enforce"
    ]
    return Entry(row, card, verdicts, list(dict.fromkeys([*missing, *failed])))


def _lacks(who: Who, hooks: frozenset[str], card: Card, found: Attributed, said: Mapping[str, int]) -> bool:
    """Whether a version has not judged what it should have."""
    required = {HOOKS.get(_kind(card), ""), "on_answer"} & hooks
    return any(not _judged(who, hook, card, found, said) for hook in required)


def _judged(who: Who, hook: str, card: Card, found: Attributed, said: Mapping[str, int]) -> bool:
    block = card.pair.original or {}
    if hook == "on_tool_call" and block.get("id"):
        lost = [each for each in found.answer if each.block == f"tool_call {block['id']}"]
    elif hook == "on_answer":
        lost = found.answer
    else:
        # A place is only as exact as what is known of the policies before: who judged as many as were released did it.
        everywhere = [each for each in chain(*found.blocks.values(), found.answer) if _counts(each, who, hook, card)]
        return len(everywhere) >= said[_kind(card)] or any(_counts(each, who, hook, card) for each in card.verdicts)
    return any(_counts(each, who, hook, card) for each in [*card.verdicts, *lost])


def _kind(card: Card) -> str:
    return str((card.pair.original or {}).get("kind"))


def _counts(verdict: Decision, who: Who, hook: str, card: Card) -> bool:
    if (verdict.policy, verdict.version) != who or verdict.hook != hook:
        return False
    # A block that an earlier policy kept back did not have to be judged by the later ones.
    return verdict.action not in NO_VERDICT or (verdict.action == "not_reached" and not card.is_same)
