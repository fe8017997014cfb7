"""What is kept within bounds: ids that were met, and events that wait for a viewer. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque

from .batches import Shown


class Met:
    """The ids met last, at most `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, id: str) -> bool:
        return id in self._ids

    def add(self, id: str) -> bool:
        """Whether it is new."""
        if id in self._ids:
            return False
        self._ids[id] = None
        if len(self._ids) > self._most:
            self._ids.popitem(last=False)
        return True

    def forget(self) -> None:
        self._ids.clear()


class Backlog:
    """Events that wait for a viewer: at most `most`; of those beyond, the oldest go, and are counted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: deque[Shown] = deque()
        self._waiting = self._missed = 0

    def __len__(self) -> int:
        return self._waiting

    def add(self, piece: Shown) -> None:
        self._pieces.append(piece)
        self._waiting += len(piece)
        while (beyond := self._waiting - self._most) > 0:
            oldest = self._pieces.popleft()
            left = oldest.newest(max(len(oldest) - beyond, 0))
            if len(left):
                self._pieces.appendleft(left)
            self._missed += len(oldest) - len(left)
            self._waiting -= len(oldest) - len(left)

    def take(self, enough: int) -> tuple[list[Shown], int]:
        """What waits, oldest first, in whole pieces up to where they have `enough` events; and how many there was no
        room for."""
        taken: list[Shown] = []
        count = 0
        while self._pieces and count < enough:
            taken.append(self._pieces.popleft())
            count += len(taken[-1])
        self._waiting -= count
        missed, self._missed = self._missed, 0
        return taken, missed
