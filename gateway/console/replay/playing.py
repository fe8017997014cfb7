"""Replays from where nothing is asynchronous: pages and jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

from gateway import directory
from policies.active import ActivePolicy
from policies.memory import Memory

from .judges import Judges
from .material import Material, NotReplayable
from .results import Replayed
from .run import LONGEST, replay


class Player:
    """An event loop in which one call after another is replayed. Used as a context, outside of any other loop."""

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._runner.run(directory.stop())
        finally:
            self._runner.close()

    def play(
        self, material: Material, policies: Sequence[ActivePolicy], judges: Judges, memory: Memory | None = None
    ) -> Replayed:
        """Raises NotReplayable where it takes too long."""
        try:
            return self._runner.run(replay(material, policies, judges, memory))
        except TimeoutError:
            raise NotReplayable(f"The policies took longer than {LONGEST:g} s.") from None
