"""The end of a stage: items leave in the order they came, also where some of them are still being judged."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable
from typing import Any

from policies.events import End

from .background import spawn
from .items import Item


class Stop:
    """The answer ends where this stands: what follows does not leave."""


Judged = list[Item | Stop]


class Tail:
    """What may leave, and behind it, from the first task on, what has to wait: a task yields items at its place."""

    __slots__ = ("_behind", "_ready", "stopped")

    def __init__(self) -> None:
        self.stopped = False
        self._ready: list[Item] = []
        self._behind: deque[Item | Stop | asyncio.Task[Judged]] = deque()

    @property
    def judging(self) -> list[asyncio.Task[Judged]]:
        return [entry for entry in self._behind if isinstance(entry, asyncio.Task)]

    def add(self, item: Item) -> None:
        if self._behind:
            self._behind.append(item)
        else:
            self._ready.append(item)

    def extend(self, items: Iterable[Item]) -> None:
        for item in items:
            self.add(item)

    def judge(self, judging: Coroutine[Any, Any, Judged]) -> asyncio.Task[Judged]:
        """Start `judging`, and keep a place for what it returns."""
        task = spawn(judging)
        self._behind.append(task)
        return task

    def leave(self) -> list[Item]:
        """What may leave now: all up to the first item that is still being judged."""
        if self._behind:
            self._move_up()
        left, self._ready = self._ready, []
        return left

    def clear(self) -> None:
        """Forget everything, also what is still being judged."""
        for task in self.judging:
            task.cancel()
        self._behind.clear()
        self._ready = []

    def _move_up(self) -> None:
        while self._behind:
            entry = self._behind.popleft()
            if isinstance(entry, Stop):
                left = [*self._ready, End()]
                self.clear()
                self._ready, self.stopped = left, True
            elif not isinstance(entry, asyncio.Task):
                self._ready.append(entry)
            elif entry.done():
                self._behind.extendleft(reversed(entry.result()))
            else:
                self._behind.appendleft(entry)
                return
