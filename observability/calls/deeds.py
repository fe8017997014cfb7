"""What policies did to a call, in words, the weightiest things alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .attribution import Attributed, Decision
from .conversation import Card

VERBS = {
    "replace": ("changed", "would have changed"),
    "reroute": ("sent elsewhere", "would have sent elsewhere"),
    "retry": ("had asked again", "would have had asked again"),
    "respond": ("answered itself", "would have answered itself"),
    "block": ("blocked", "would have blocked"),
    "stop": ("stopped", "would have stopped"),
    "refuse": ("refused", "would have refused"),
    "dropped": ("dropped", "would have dropped"),
    "failed_open": ("failed, and let pass unjudged:", "failed on"),
    "failed_closed": ("failed, and so blocked", "failed on"),
}
"""What an action is called, enforced and in shadow. The others let things pass."""
KINDS = {"tool_call": "the tool call", "text": "a text", "thinking": "the thinking", "opaque": "a block"}


@dataclass(frozen=True, slots=True)
class Deed:
    """`decision` in words: its policy `verb` `what`. `anchor` is where on the page that stands."""

    decision: Decision
    verb: str
    what: str
    name: str
    anchor: str


def deeds(found: Attributed, cards: Iterable[Card]) -> list[Deed]:
    """What did not just pass, in the order in which it was decided; the enforced first."""
    by_place = {card.original_at: card for card in cards if card.original_at is not None}
    made = [*_deeds(found.request, "the request", "request-verdicts"), *_deeds(found.answer, "the answer", "verdicts")]
    for place, decisions in found.blocks.items():
        block = by_place[place].pair.original or {}
        what = KINDS.get(str(block.get("kind")), "a block")
        made += _deeds(decisions, what, f"response-{by_place[place].number}", str(block.get("name", "")))
    return sorted(made, key=lambda deed: (deed.decision.mode != "enforce", deed.decision.position))


def _deeds(decisions: Sequence[Decision], what: str, anchor: str, name: str = "") -> list[Deed]:
    return [
        Deed(each, VERBS[each.action][each.mode != "enforce"], what, name, anchor)
        for each in decisions
        if each.action in VERBS
    ]
