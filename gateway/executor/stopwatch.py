"""How long verdicts held a call up."""

from __future__ import annotations

from time import perf_counter


class Stopwatch:
    """Runs while at least one `with` block is open, so what happens side by side counts once. Seconds."""

    __slots__ = ("_open", "_since", "_sum")

    def __init__(self) -> None:
        self._open = 0
        self._since = 0.0
        self._sum = 0.0

    @property
    def seconds(self) -> float:
        return self._sum + (perf_counter() - self._since if self._open else 0.0)

    def __enter__(self) -> None:
        if not self._open:
            self._since = perf_counter()
        self._open += 1

    def __exit__(self, *exception: object) -> None:
        self._open -= 1
        if not self._open:
            self._sum += perf_counter() - self._since
