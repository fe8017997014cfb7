"""How an event loop waits for what the writer's thread makes durable."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from weakref import WeakKeyDictionary

PATIENCE = 5.0
"""Seconds after which a call that waits for its record is told that there is none."""


class RecordUnavailable(Exception):
    """What happens cannot be put on record now, so in `blocking` it must not happen."""


class Waiter:
    """What tasks of the running loop may wait for. It fails after PATIENCE, also if the writer's thread hangs."""

    __slots__ = ("_error", "_waiting", "due", "is_settled", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.due = self.loop.time() + PATIENCE
        self.is_settled = False
        self._error: Exception | None = None
        self._waiting: list[asyncio.Future[None]] = []
        _watch(self)

    async def wait(self) -> None:
        """Returns once it is durable. Raises RecordUnavailable."""
        if not self.is_settled:
            future = self.loop.create_future()
            self._waiting.append(future)
            await future
        if self._error is not None:
            raise self._error.with_traceback(None)  # it is raised to everyone of a batch

    def settle(self, error: Exception | None) -> None:
        """Runs on the loop; the first time counts."""
        if self.is_settled:
            return
        self.is_settled, self._error = True, error
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()


def settle(waiters: Iterable[Waiter | None], error: Exception | None) -> None:
    """From any thread: what was waited for is there, or failed, with one wake-up a loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Waiter]] = {}
    for waiter in waiters:
        if waiter is not None:
            by_loop.setdefault(waiter.loop, []).append(waiter)
    for loop, members in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle_all, members, error)
        except RuntimeError:
            continue  # the loop is closed, and nobody waits on it any more


def _settle_all(waiters: list[Waiter], error: Exception | None) -> None:
    for waiter in waiters:
        waiter.settle(error)


_watched: WeakKeyDictionary[asyncio.AbstractEventLoop, deque[Waiter]] = WeakKeyDictionary()
"""A loop's waiters in the order in which their time runs out: one timer looks after all of them."""


def _watch(waiter: Waiter) -> None:
    watched = _watched.get(waiter.loop)
    if watched is None:
        watched = _watched[waiter.loop] = deque()
    watched.append(waiter)
    if len(watched) == 1:
        waiter.loop.call_at(waiter.due, _look, watched)


def _look(watched: deque[Waiter]) -> None:
    """Tell those whose time is up, and come back for the first of the others."""
    while watched:
        waiter = watched[0]
        if not waiter.is_settled:
            if waiter.due > waiter.loop.time():
                waiter.loop.call_at(waiter.due, _look, watched)
                return
            waiter.settle(RecordUnavailable("the database is away"))
        watched.popleft()
