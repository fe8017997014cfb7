"""What reading one script may cost, so that no script keeps anybody busy. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

MAX_STEPS = 20_000
MAX_DEPTH = 60
MAX_TEXT = 8 * 1024 * 1024
"""Characters that all words and expansions of a script may come to."""


class TooMuch(Exception):
    """The script would take too long to read: it counts as unparsable."""


class Budget:
    def __init__(self) -> None:
        self._steps = 0
        self._depth = 0
        self._text = 0

    @contextmanager
    def step(self) -> Iterator[None]:
        """One part of the script, with all that is inside it. Raises TooMuch."""
        self._steps += 1
        self._depth += 1
        try:
            if self._steps > MAX_STEPS or self._depth > MAX_DEPTH:
                raise TooMuch
            yield
        finally:
            self._depth -= 1

    def spend(self, characters: int) -> None:
        """Text that is about to be made. Raises TooMuch."""
        self._text += characters
        if self._text > MAX_TEXT:
            raise TooMuch
