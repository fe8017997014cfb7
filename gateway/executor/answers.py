"""A whole answer in a stage's hands: what is left of it after a verdict on all of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policies.content import Block, Response
from policies.events import BlockDelta, BlockEnd, BlockStart, End, Event, Start, block_events, build_block, fold

from .items import Changed, Item, Notice, Stop


def folded(answer: Iterable[Item]) -> Response:
    """The Response that a policy is shown: without notices, which no policy sees."""
    return fold(item for item in answer if not isinstance(item, Notice | Changed))


def replaced(block: Block, events: Sequence[Event], content: Iterable[Block], changed: Changed) -> list[Item | Stop]:
    """`events` of `block` with `content` in its place; what is equal to `block` keeps its events and their bytes."""
    content = tuple(content)
    if content == (block,):
        return [*events]
    made: list[Item | Stop] = [changed]
    for new in content:
        made += events if new == block else block_events(new)
    return made


def replaced_answer(answer: Sequence[Item], content: Sequence[Block], changed: Changed) -> list[Item]:
    """`answer` with `content` as its blocks; a block that stays keeps its events and their bytes."""
    known = _blocks(answer)
    if [block for block, _ in known] == list(content):
        return [*answer]
    blocks: list[Item] = []
    for position, new in enumerate(content):
        same = position < len(known) and known[position][0] == new
        if not same and changed not in blocks:
            blocks.append(changed)
        blocks += next((events for block, events in known if block == new), None) or block_events(new)
    if changed not in blocks:
        blocks.append(changed)
    return _around(answer, blocks)


def without_blocks(answer: Sequence[Item], instead: Sequence[Item]) -> list[Item]:
    """`answer` with nothing but `instead` between its start and its end."""
    return _around(answer, instead)


def _around(answer: Sequence[Item], middle: Sequence[Item]) -> list[Item]:
    notices = [item for item in answer if isinstance(item, Notice)]
    start = [item for item in answer if isinstance(item, Start)]
    end = [item for item in answer if isinstance(item, End)]
    return [*start, *notices, *middle, *end]


def _blocks(answer: Iterable[Item]) -> list[tuple[Block, list[Event]]]:
    blocks: list[tuple[Block, list[Event]]] = []
    events: list[Event] = []
    for item in answer:
        if isinstance(item, BlockStart):
            events = [item]
        elif isinstance(item, BlockDelta | BlockEnd):
            events.append(item)
            if isinstance(item, BlockEnd):
                start = events[0]
                assert isinstance(start, BlockStart)
                blocks.append((build_block(start, [e for e in events if isinstance(e, BlockDelta)]), events))
    return blocks
