"""How reading a script ends early."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .rules import Category

MAX_STEPS = 20_000
MAX_DEPTH = 60


class Dangerous(Exception):
    """The script would do what `category` says, by `program`."""

    def __init__(self, category: Category, program: str) -> None:
        super().__init__(category, program)
        self.category = category
        self.program = program


class Budget:
    """What reading one script may cost, so that no script keeps anybody busy: beyond, it counts as unparsable."""

    def __init__(self) -> None:
        self._steps = 0
        self._depth = 0

    @contextmanager
    def step(self) -> Iterator[None]:
        """One part of the script, with all that is inside it."""
        self._steps += 1
        self._depth += 1
        try:
            if self._steps > MAX_STEPS or self._depth > MAX_DEPTH:
                raise Dangerous("unparsable command", "a shell")
            yield
        finally:
            self._depth -= 1
