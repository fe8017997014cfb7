"""Live activity: what calls are doing, for those who watch. A server's lifespan calls `start` and `stop`."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import suppress
from types import FrameType

_listening: asyncio.Task[None] | None = None


def start() -> None:
    """Listen, where there is Redis, for viewers in other processes; and let ours go once the server is told to end."""
    global _listening
    # Not above: whoever only tells of calls needs neither this nor the feed.
    from .listening import listen_for_viewers

    _listening = asyncio.create_task(listen_for_viewers(), name="activity")
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            _let_go_at(number)


async def stop() -> None:
    """End what `start` began."""
    if _listening is not None:
        _listening.cancel()
        with suppress(asyncio.CancelledError):
            await _listening


def _let_go_at(number: int) -> None:
    """A server waits for answers that are under way before it ends, and those to viewers have no end of their own."""
    before, loop = signal.getsignal(number), asyncio.get_running_loop()
    if not callable(before):
        return

    from . import feed

    def end(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(feed.end)
        before(number, frame)

    signal.signal(number, end)
