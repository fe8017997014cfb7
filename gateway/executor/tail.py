"""The end of a stage: items leave in the order they came, also where some of them are still being judged."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from policies.events import End
from policies.verdicts import Verdict

from .items import Item


class Stop:
    """The answer ends where this stands: what follows does not leave."""


Judged = list[Item | Stop]
Verdicts = list[asyncio.Future[Verdict]]


@dataclass(frozen=True, slots=True)
class _Place:
    """A verdict that has to come, and what leaves in this place once it has."""

    verdict: asyncio.Future[Verdict]
    then: Callable[[Verdict], Judged]


class Tail:
    """What may leave, and behind it what has to wait, from the first place on whose verdict has not come."""

    __slots__ = ("_behind", "_ready", "stopped")

    def __init__(self) -> None:
        self.stopped = False
        self._ready: list[Item] = []
        self._behind: deque[Item | Stop | _Place] = deque()

    @property
    def awaited(self) -> Verdicts:
        return [entry.verdict for entry in self._behind if isinstance(entry, _Place)]

    @property
    def waits(self) -> bool:
        """Whether what comes now has to wait for a verdict."""
        return bool(self._behind)

    def add(self, item: Item) -> None:
        if self._behind:
            self._behind.append(item)
        else:
            self._ready.append(item)

    def extend(self, items: Iterable[Item]) -> None:
        for item in items:
            self.add(item)

    def wait(self, verdict: asyncio.Future[Verdict], then: Callable[[Verdict], Judged]) -> None:
        """Keep a place for what `then` makes of the verdict."""
        self._behind.append(_Place(verdict, then))

    def leave(self) -> list[Item]:
        """What may leave now: all up to the first item that is still being judged."""
        if self._behind:
            self._move_up()
        left, self._ready = self._ready, []
        return left

    def clear(self) -> None:
        """Forget everything, also what is still being judged."""
        for verdict in self.awaited:
            verdict.cancel()
        self._behind.clear()
        self._ready = []

    def _move_up(self) -> None:
        while self._behind:
            entry = self._behind.popleft()
            if isinstance(entry, Stop):
                left = [*self._ready, End()]
                self.clear()
                self._ready, self.stopped = left, True
            elif not isinstance(entry, _Place):
                self._ready.append(entry)
            elif entry.verdict.done():
                self._behind.extendleft(reversed(entry.then(entry.verdict.result())))
            else:
                self._behind.appendleft(entry)
                return
