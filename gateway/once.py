"""Work of a process that is done once, in a thread of its own, when somebody first needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Once:
    """`work` begins with the first `start`; whatever goes wrong with it is the work's own to tell."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._name = name
        self._work = work
        self._lock = threading.Lock()
        self._started = False
        self._done = threading.Event()

    def start(self) -> None:
        with self._lock:
            if self._started:
                return
            self._started = True
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def wait(self) -> None:
        """Returns when it is done; it begins now if nobody needed it before."""
        self.start()
        self._done.wait()

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._done.set()
