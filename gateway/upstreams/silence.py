"""How long an upstream may say nothing in the middle of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.errors import UpstreamStalled


class Silence:
    """Calls `fail` once a read has waited `limit` seconds; the time between reads is the reader's own.

    A chunk costs two look-ups of the clock and no timer: the one timer there is only looks again when it fires.
    """

    __slots__ = ("_fail", "_limit", "_loop", "_provider", "_since", "_timer")

    def __init__(self, provider: str, fail: Callable[[Exception], None], limit: float) -> None:
        self._fail = fail
        self._limit = limit
        self._provider = provider
        self._loop = asyncio.get_running_loop()
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """A read begins to wait."""
        self._since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_at(self._since + self._limit, self._look)

    def end(self) -> None:
        """The read is over."""
        self._since = None

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._since is None:
            return
        deadline = self._since + self._limit
        if self._loop.time() >= deadline:
            problem = f"The provider {self._provider} sent nothing for {self._limit:g} s in the middle of its answer."
            self._fail(UpstreamStalled(problem))
        else:
            self._timer = self._loop.call_at(deadline, self._look)
