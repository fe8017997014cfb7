"""The end of a stage: items leave in the order they came, also where some of them are still being judged."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable

from policies.events import End

from .items import Item, Stop

Judged = list[Item | Stop]


class Tail:
    """A queue of items, and of tasks that will yield items at their place. A Stop ends the answer where it stands."""

    __slots__ = ("_entries", "stopped")

    def __init__(self) -> None:
        self.stopped = False
        self._entries: deque[Item | Stop | asyncio.Task[Judged]] = deque()

    def add(self, item: Item | Stop) -> None:
        self._entries.append(item)

    def extend(self, items: Iterable[Item | Stop]) -> None:
        self._entries.extend(items)

    def judge_beside(self, judging: Coroutine[None, None, Judged]) -> None:
        """Keep a place for what `judging` returns, and let the stream go on."""
        self._entries.append(asyncio.create_task(judging))

    async def settle(self) -> None:
        """Wait until everything that came is judged."""
        for entry in list(self._entries):
            if isinstance(entry, asyncio.Task):
                await entry

    def leave(self) -> list[Item]:
        """What may leave now: all up to the first item that is still being judged."""
        left: list[Item] = []
        entries = self._entries
        while entries:
            entry = entries[0]
            if isinstance(entry, asyncio.Task):
                if not entry.done():
                    break
                entries.popleft()
                entries.extendleft(reversed(entry.result()))
                continue
            entries.popleft()
            if isinstance(entry, Stop):
                left.append(End())
                self.stopped = True
                self.clear()
            else:
                left.append(entry)
        return left

    def clear(self) -> None:
        """Forget everything, also what is still being judged."""
        for entry in self._entries:
            if isinstance(entry, asyncio.Task):
                entry.cancel()
        self._entries.clear()
