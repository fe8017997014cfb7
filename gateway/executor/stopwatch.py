"""How long verdicts held a call up."""

from __future__ import annotations

from time import perf_counter


class Stopwatch:
    """Runs while it was started more often than stopped, so what happens side by side counts once. Seconds."""

    __slots__ = ("_running", "_since", "_sum")

    def __init__(self) -> None:
        self._running = 0
        self._since = 0.0
        self._sum = 0.0

    @property
    def seconds(self) -> float:
        return self._sum + (perf_counter() - self._since if self._running else 0.0)

    def start(self) -> None:
        if not self._running:
            self._since = perf_counter()
        self._running += 1

    def stop(self, _: object = None) -> None:
        """Takes an argument, so that it can be a future's callback."""
        self._running -= 1
        if not self._running:
            self._sum += perf_counter() - self._since
