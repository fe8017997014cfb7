"""What event loops hand to the writer's thread, and how much of it is not durable yet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple

from observability.rows.entries import Entry

from .waiting import Waiter

MOST_ENTRIES = 50_000
MOST_BYTES = 256 * 1024 * 1024


class Queued(NamedTuple):
    """An entry that waits; `size` in bytes, `since` on the monotonic clock."""

    entry: Entry
    waiter: Waiter | None
    size: int
    since: float


class Inbox:
    """`put` may be called from any event loop; the rest is the writer's thread's."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Queued | None] = SimpleQueue()
        # Each number is written by one side only, so no lock is needed.
        self._put_entries = self._put_bytes = 0
        self._done_entries = self._done_bytes = 0

    @property
    def waiting(self) -> int:
        """Entries that are not durable yet, those that were taken among them."""
        return self._put_entries - self._done_entries

    @property
    def is_full(self) -> bool:
        return self.waiting > MOST_ENTRIES or self._put_bytes - self._done_bytes > MOST_BYTES

    @property
    def is_empty(self) -> bool:
        return self._queue.empty()

    def put(self, entry: Entry, waiter: Waiter | None) -> None:
        size = entry.size
        self._put_entries += 1
        self._put_bytes += size
        self._queue.put(Queued(entry, waiter, size, time.monotonic()))

    def wake(self) -> None:
        """Let a `take` that waits look around."""
        self._queue.put(None)

    def take(self, timeout: float, most: int, most_bytes: int, gather: float = 0.0) -> list[Queued]:
        """Whatever waits, up to about those bounds; waits up to `timeout` seconds for the first, `gather` for more."""
        taken: list[Queued] = []
        size = 0
        try:
            item = self._queue.get(timeout=timeout)
            if gather:
                time.sleep(gather)
            while True:
                if item is not None:
                    taken.append(item)
                    size += item.size
                if len(taken) >= most or size > most_bytes:
                    return taken
                item = self._queue.get_nowait()
        except Empty:
            return taken

    def done(self, queued: Sequence[Queued]) -> None:
        """These are durable, or given up."""
        self._done_entries += len(queued)
        self._done_bytes += sum([item.size for item in queued])
