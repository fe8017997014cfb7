"""A shadow policy: it gets the stream at its place in the chain, in a task of its own, and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from policies.events import End, Event, Failure

from .items import Changed, Item, Notice
from .judge import Judge
from .stage import RetryAsked, Stage


class Shadow:
    """Stands among the stages. What it judges runs behind a queue, so the answer never waits for it."""

    waits = False
    judges_tool_calls = False
    stopped = False

    def __init__(self, judge: Judge, spawn: Callable[[asyncio.Task[None]], None]) -> None:
        self.judge = judge
        self._spawn = spawn
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._running = False

    async def feed(self, item: Item) -> list[Item]:
        if not isinstance(item, Notice | Changed):
            if not self._running:
                self._running = True
                self._spawn(asyncio.create_task(self._run()))
            self._queue.put_nowait(item)
        return [item]

    def close(self) -> None:
        """The answer is over, or given up: nothing more will come."""
        self._queue.put_nowait(None)

    async def _run(self) -> None:
        stage = Stage(self.judge)
        try:
            while (event := await self._queue.get()) is not None:
                await stage.feed(event)
                if isinstance(event, End | Failure):
                    return
        except RetryAsked:
            return
        finally:
            stage.close()
