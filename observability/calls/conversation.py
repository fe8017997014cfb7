"""A call as one conversation: its turns in order, each block with what policies did to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from observability.diffs.blocks import Side
from observability.diffs.pairs import Block, Pair, pair

SectionKind = Literal["system", "tools", "earlier", "talk"]
LAZY = 16_000
"""Characters of a folded section from which on it is fetched only when somebody unfolds it."""


@dataclass(frozen=True, slots=True)
class Card:
    """A block as it was and as it became, with the verdicts on it.

    `number` counts the cards of a request, or of an answer. `original_at` and `final_at` are the block's places in what
    is on record; None where it is not there.
    """

    number: int
    pair: Pair
    original_at: int | None
    final_at: int | None
    verdicts: Sequence[Any] = ()

    @property
    def block(self) -> Block:
        """What stands for it: what came of it, or what it was if nothing did."""
        block = self.pair.final if self.pair.final is not None else self.pair.original
        assert block is not None
        return block

    @property
    def is_same(self) -> bool:
        return self.pair.mark == "same"


@dataclass(frozen=True, slots=True)
class Turn:
    """Blocks that one side said together. `role` is who, in words."""

    role: str
    cards: Sequence[Card]


@dataclass(frozen=True, slots=True)
class Section:
    """Turns that are folded or shown together: the `first` to the `last` card, both counted."""

    kind: SectionKind
    cards: Sequence[Card]

    @property
    def folded(self) -> bool:
        return self.kind != "talk"

    @property
    def lazy(self) -> bool:
        return self.folded and self.size > LAZY

    @property
    def size(self) -> int:
        """Characters, as people would count them."""
        return sum(size(card.block) for card in self.cards)

    @property
    def turns(self) -> Sequence[Turn]:
        return turns(self.cards)

    @property
    def first(self) -> int:
        return self.cards[0].number

    @property
    def last(self) -> int:
        return self.cards[-1].number


def cards(side: Side, verdicts: Mapping[int, Sequence[Any]] | None = None, *, withheld: bool = False) -> list[Card]:
    """Both sides of a request or an answer, block by block; `verdicts` by the places of the original blocks.

    Where the original was `withheld` from the record, the final one stands alone.
    """
    known = verdicts or {}
    if withheld:
        return [Card(at, Pair("same", each, each), None, at) for at, each in enumerate(side["final"])]
    if not side["changed"]:
        blocks = side["original"]
        return [Card(at, Pair("same", each, each), at, at, known.get(at, ())) for at, each in enumerate(blocks)]
    return list(_numbered(pair(side["original"], side["final"]), known))


def _numbered(pairs: Iterable[Pair], verdicts: Mapping[int, Sequence[Any]]) -> Iterator[Card]:
    original_at = final_at = 0
    for number, each in enumerate(pairs):
        has_original, has_final = each.original is not None, each.final is not None
        yield Card(
            number,
            each,
            original_at if has_original else None,
            final_at if has_final else None,
            verdicts.get(original_at, ()) if has_original else (),
        )
        original_at += has_original
        final_at += has_final


def sections(request: Sequence[Card]) -> list[Section]:
    """A request as it is read: system and tools on offer, what was said before, and the last turn, which is open.

    What policies changed is never folded away.
    """
    tools = [card for card in request if card.block.get("kind") == "tool"]
    rest = [card for card in request if card.block.get("kind") != "tool"]
    talk_from = next((at for at, card in enumerate(rest) if role(card.block) != "system"), len(rest))
    talk = rest[talk_from:]
    last_from = _last_turn(talk)
    return [
        *_folded("system", rest[:talk_from]),
        *_folded("tools", tools),
        *_folded("earlier", talk[:last_from]),
        *([Section("talk", talk[last_from:])] if talk[last_from:] else []),
    ]


def _folded(kind: SectionKind, cards: Sequence[Card]) -> Iterator[Section]:
    for same, group in groupby(cards, lambda card: card.is_same):
        yield Section(kind if same else "talk", list(group))


def _last_turn(talk: Sequence[Card]) -> int:
    """Where what is being answered begins: behind what the model said last, or with it if a tool's result follows."""
    start = len(talk)
    while start and role(talk[start - 1].block) != "assistant":
        start -= 1
    if start < len(talk) and talk[start].block.get("kind") == "tool_result":
        while start and role(talk[start - 1].block) == "assistant":
            start -= 1
    return start


def turns(cards: Iterable[Card]) -> list[Turn]:
    """The cards of one side after another."""
    grouped = ((said_by, list(group)) for said_by, group in groupby(cards, lambda card: _said_by(card.block)))
    return [Turn(said_by, group) for said_by, group in grouped]


def _said_by(block: Block) -> str:
    if block.get("kind") == "tool":
        return ""
    if block.get("kind") == "tool_result":
        return "tools"
    choice = block.get("choice")
    return role(block) if choice is None else f"{role(block)}, choice {choice + 1}"


def role(block: Block) -> str:
    """Who said a block; those of an answer name nobody, and are the model's."""
    return str(block.get("role", "assistant"))


def size(block: Block) -> int:
    """About how many characters a page would show of a block."""
    arguments = block.get("arguments")
    values = arguments.values() if isinstance(arguments, Mapping) else [arguments or ""]
    return len(str(block.get("text", ""))) + sum(map(len, map(str, values)))
