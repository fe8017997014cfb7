"""Small transactions with room between them, so that calls never wait long for whoever cleans up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TARGET_SECONDS, MOST_SECONDS = 0.02, 0.05
"""What a transaction should take, and what none may, because calls wait for it on SQLite."""
FEWEST, FIRST, MOST = 8, 16, 400
"""Fewer rows are hardly quicker: what a transaction takes beside them is most of it then. So there are fewer only after
one that took MOST_SECONDS."""


class Pace:
    """`limit` is how many rows the next transaction may take; it follows from how long the last ones took."""

    def __init__(
        self, clock: Callable[[], float] = time.perf_counter, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.limit = FIRST
        self.longest = 0.0
        self._clock = clock
        self._sleep = sleep

    @contextmanager
    def step(self) -> Iterator[None]:
        """One transaction runs inside; behind it others get as much time as it took."""
        began = self._clock()
        yield
        took = self._clock() - began
        self.longest = max(self.longest, took)
        limit = int(self.limit * (0.5 if took > TARGET_SECONDS else 1.25))
        self.limit = min(max(limit, 1 if took > MOST_SECONDS else FEWEST), MOST)
        self._sleep(min(took, TARGET_SECONDS))
