"""How an event loop waits for what the writer's thread makes durable."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

PATIENCE = 5.0
"""Seconds after which a call that waits for its record is told that there is none."""


class RecordUnavailable(Exception):
    """What happens cannot be put on record now, so in `blocking` it must not happen."""


class Waiter:
    """A future of the running loop. It fails with RecordUnavailable after PATIENCE, also if the thread hangs."""

    __slots__ = ("_timer", "future", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self._timer = self.loop.call_later(PATIENCE, self.settle, RecordUnavailable("the database is away"))

    def settle(self, error: Exception | None) -> None:
        """Runs on the loop."""
        self._timer.cancel()
        if self.future.done():
            return
        if error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(error)
            self.future.exception()  # a call that left does not look at its future, which is no reason to warn


def settle(waiters: Iterable[Waiter | None], error: Exception | None) -> None:
    """From any thread: the waiters' futures are done, with one wake-up a loop."""
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


async def settled(durable: asyncio.Future[None]) -> None:
    """Wait as one of several, who shall not lose it where this one is cancelled."""
    if durable.done():
        durable.result()
    else:
        await asyncio.shield(durable)
