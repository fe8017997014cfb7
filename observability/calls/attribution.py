"""Which verdict was about which block of an answer. Pure.

A decision names a tool call by its id, and any other block by its kind and its place in what its policy saw, which is
what the policies before it had let pass.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from observability.diffs.pairs import Block

KEPT_BACK = frozenset({"block", "stop", "failed_closed", "dropped"})
"""What keeps a block from the policies that come later, where it is enforced."""

Decision = Any
"""A row of the record, or what has its fields: policy, version, mode, hook, block, action."""


@dataclass(slots=True)
class Attributed:
    """Decisions on the blocks of an answer, by a block's place; on the request; and on the answer as a whole.

    `answer` has also those whose block is not to be found: an earlier policy made it. Questions to judges are `asked`.
    """

    blocks: dict[int, list[Decision]] = field(default_factory=lambda: defaultdict(list))
    request: list[Decision] = field(default_factory=list)
    answer: list[Decision] = field(default_factory=list)
    asked: list[Decision] = field(default_factory=list)


def attributed(blocks: Sequence[Block], decisions: Iterable[Decision]) -> Attributed:
    """Each of `decisions` where it belongs; `blocks` are those of the original answer."""
    found = Attributed()
    on_blocks: dict[tuple[str, int], list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.hook == "ask":
            found.asked.append(decision)
        elif decision.block == "request":
            found.request.append(decision)
        elif decision.block == "answer":
            found.answer.append(decision)
        else:
            on_blocks[decision.policy, decision.version].append(decision)
    seen = list(range(len(blocks)))
    # The first block passed the policies in their order.
    for verdicts in on_blocks.values():
        seen = _place(blocks, seen, verdicts, found)
    return found


def _place(blocks: Sequence[Block], seen: list[int], verdicts: Iterable[Decision], found: Attributed) -> list[int]:
    """Puts one policy's `verdicts` on those of the places `seen` that they are about; what the next policy sees."""
    times: Counter[tuple[str, str]] = Counter()
    kept_back = set()
    for verdict in verdicts:
        places = _named(blocks, seen, verdict.block)
        if not places:
            found.answer.append(verdict)
            continue
        # Of several choices each has a block of that name, and the first is judged first.
        said = (verdict.hook, verdict.block)
        place = places[min(times[said], len(places) - 1)]
        times[said] += 1
        found.blocks[place].append(verdict)
        if verdict.mode == "enforce" and verdict.action in KEPT_BACK:
            kept_back.add(place)
    return [place for place in seen if place not in kept_back]


def _named(blocks: Sequence[Block], seen: Sequence[int], label: str) -> list[int]:
    """The places of the blocks of which `label` may speak, at most one for each choice."""
    kind, _, name = label.partition(" ")
    by_id = [place for place in seen if kind == "tool_call" and blocks[place].get("id") == name]
    if by_id or not (name.isascii() and name.isdigit()):
        return by_id
    choices = (list(group) for _, group in groupby(seen, lambda place: blocks[place].get("choice")))
    at = int(name[:9])
    return [places[at] for places in choices if at < len(places) and blocks[places[at]].get("kind") == kind]
