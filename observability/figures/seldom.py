"""What is costly to look up and may be a little old: looked up seldom, and by one thread at a time."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")
SHARE = 0.05
"""Of one thread's time, the most that looking may take; in between, what the last look found is shown."""


class Seldom(Generic[T]):
    """What `look` found last. Threads may share it: one of them looks, and the others get what was there before.

    Where nothing was found before, they get `meanwhile`, or wait if that is None.
    """

    def __init__(self, look: Callable[[], T], clock: Callable[[], float] = monotonic, meanwhile: T | None = None):
        self._look = look
        self._clock = clock
        self._looking = Lock()
        self._known = meanwhile
        self._good_until = 0.0

    def value(self) -> T:
        if self._is_old() and self._looking.acquire(blocking=self._known is None):
            try:
                # Whoever waited for the lock need not look again.
                if self._is_old():
                    self._look_again()
            finally:
                self._looking.release()
        assert self._known is not None
        return self._known

    def _is_old(self) -> bool:
        return self._known is None or self._clock() >= self._good_until

    def _look_again(self) -> None:
        began = self._clock()
        self._known = self._look()
        now = self._clock()
        self._good_until = now + (now - began) / SHARE
