"""Something that may hang, done in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Errand(Generic[T]):
    """Begins when it is made; `finished` is called at its end, from its thread. It does not keep the process alive."""

    def __init__(self, work: Callable[[], T], finished: Callable[[], None]) -> None:
        self.is_done = False
        self._work = work
        self._finished = finished
        self._result: T
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="record-errand", daemon=True).start()

    def result(self) -> T:
        """What came of it, once it is done. Raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:
            self._error = error
        self.is_done = True
        self._finished()
