"""Replays from where nothing is asynchronous: pages and jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

from gateway import directory, fetching
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
        with self._runner as runner:
            runner.run(_stop())

    def play(
        self, material: Material, policies: Sequence[ActivePolicy], judges: Judges, memory: Memory | None = None
    ) -> Replayed:
        """Raises NotReplayable where it takes too long."""
        try:
            return self._runner.run(replay(material, policies, judges, memory))
        except TimeoutError:
            raise NotReplayable(f"The policies took longer than {LONGEST:g} s.") from None


async def _stop() -> None:
    """Close what this loop opened to ask judges and services."""
    await fetching.stop()
    await directory.stop()
