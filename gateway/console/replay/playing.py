"""Replays from where nothing is asynchronous: pages and jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway import directory
from policies.active import ActivePolicy

from .judges import Judges
from .material import Material, NotReplayable
from .results import Replayed
from .run import LONGEST, replay


def play(material: Material, lineups: Sequence[Sequence[ActivePolicy]], judges: Judges) -> list[Replayed]:
    """`material` under each of `lineups`, in an event loop of its own. Raises NotReplayable where it takes too long."""
    try:
        return asyncio.run(_play(material, lineups, judges))
    except TimeoutError:
        raise NotReplayable(f"The policies took longer than {LONGEST:g} s.") from None


async def _play(material: Material, lineups: Sequence[Sequence[ActivePolicy]], judges: Judges) -> list[Replayed]:
    try:
        return [await replay(material, lineup, judges) for lineup in lineups]
    finally:
        await directory.stop()
