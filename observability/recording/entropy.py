"""Random bytes for ids and nonces, taken from the system by the page rather than by the call.

Each system call gives up the interpreter's lock, and a busy writer's thread may keep it for milliseconds.
"""

from __future__ import annotations

import os
import threading

PAGE = 4096


class _Pool(threading.local):
    """What this thread has of random bytes; no byte is handed out twice."""

    page = b""
    place = 0

    def take(self, size: int) -> bytes:
        if self.place + size > len(self.page):
            self.page, self.place = os.urandom(PAGE), 0
        start, self.place = self.place, self.place + size
        return self.page[start : self.place]

    def drop(self) -> None:
        self.page, self.place = b"", 0


_pool = _Pool()
# Parent and child would hand out the same bytes.
os.register_at_fork(after_in_child=_pool.drop)


def random_bytes(size: int) -> bytes:
    """`size` bytes from the system's generator of secrets."""
    return _pool.take(size) if size <= PAGE else os.urandom(size)
