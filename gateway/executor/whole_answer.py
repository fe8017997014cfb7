"""A policy's `on_answer`: the whole answer is held, then judged as one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from time import perf_counter

from policies.content import Block, Text
from policies.events import (
    BlockDelta,
    BlockEnd,
    BlockStart,
    End,
    Failure,
    Start,
    block_events,
    build_block,
    fold,
)
from policies.verdicts import Verdict

from .items import Changed, Item, Notice
from .judge import Judge
from .link import Link


class RetryAsked(Exception):
    """A policy wants another model to be asked; `model` names it. Nothing of this answer was released."""

    def __init__(self, by: Judge, model: str) -> None:
        super().__init__(model)
        self.by = by
        self.model = model


class WholeAnswer(Link):
    """From Start to End nothing leaves; then what the verdict lets go."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._changed = Changed(judge.active)
        self._answer: list[Item] | None = None
        self._asked: asyncio.Future[Verdict] | None = None
        self._unread: Sequence[Item] = ()

    def feed(self, items: Sequence[Item]) -> list[Item]:
        left: list[Item] = []
        for position, item in enumerate(items):
            if isinstance(item, Start):
                self._answer = []
            if self._answer is None:
                left.append(item)
                continue
            self._answer.append(item)
            if isinstance(item, Failure):
                left += [held for held in self._answer if isinstance(held, Start | Failure)]
                self._answer = None
            elif isinstance(item, End):
                left += self._judged_by_others(self._answer) or self._ask(self._answer)
                if self.waiting:
                    self._unread = items[position + 1 :]
                    break
        return left

    async def settle(self) -> list[Item]:
        left: list[Item] = []
        while self._asked is not None and self._answer is not None:
            verdict = await self._asked
            answer, self._answer = self._answer, None
            self.waiting, self._asked = False, None
            left += self._after(verdict, answer)
            left += self.feed(self._unread)
        return left

    def close(self) -> None:
        if self._asked is not None:
            self._asked.cancel()

    def _judged_by_others(self, answer: list[Item]) -> list[Item]:
        """The answer, if other policies blocked all there was of it, so that nothing is left to judge."""
        notices = [item for item in answer if isinstance(item, Notice)]
        if not notices or any(isinstance(item, BlockStart) for item in answer):
            return []
        by = notices[-1].by.name
        self._judge.decide("on_answer", "answer", "not_reached", f"blocked by {by}", perf_counter())
        self._answer = None
        return answer

    def _ask(self, answer: Iterable[Item]) -> list[Item]:
        response = fold(item for item in answer if not isinstance(item, Notice | Changed))
        self._asked = self._judge.ask("on_answer", response, "answer")
        self.waiting = True
        return []

    def _after(self, verdict: Verdict, answer: list[Item]) -> list[Item]:
        if verdict.action == "allow":
            return answer
        if verdict.action == "retry":
            raise RetryAsked(self._judge, verdict.model)
        if isinstance(verdict.content, tuple):
            return rewritten(answer, verdict.content, self._changed)
        start, *others, end = rewritten(answer, (), self._changed)
        return [start, *others, Notice(self._judge.active, None, verdict.reason), end]


def rewritten(answer: Sequence[Item], content: Iterable[Block], changed: Changed) -> list[Item]:
    """`answer` with `content` as its blocks.

    A block that stays keeps its events and their bytes; a mark keeps its place among the blocks that stay; `changed`
    stands where the first difference is.
    """
    *before, end = answer
    ahead = deque(_parts(before))
    left: list[Item] = []
    for new in content:
        while ahead and ahead[0][0] is None:
            left += ahead.popleft()[1]
        if not any(block == new for block, _ in ahead):
            left += [changed] if new == Text("") else [changed, *block_events(new)]
            continue
        while (part := ahead.popleft())[0] != new:
            left += part[1] if part[0] is None else [changed]
        left += part[1]
    for block, items in ahead:
        left += items if block is None else [changed]
    return [*left, end]


def _parts(answer: Iterable[Item]) -> Iterable[tuple[Block | None, list[Item]]]:
    """The answer's blocks with their items, and None with each item between them."""
    start: BlockStart | None = None
    items: list[Item] = []
    for item in answer:
        if isinstance(item, BlockStart):
            start, items = item, []
        if start is None:
            yield None, [item]
            continue
        items.append(item)
        if isinstance(item, BlockEnd):
            yield build_block(start, [event for event in items if isinstance(event, BlockDelta)]), items
            start = None
