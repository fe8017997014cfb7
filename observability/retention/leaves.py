"""Which leaves of the chain rows are, as a tombstone names them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from observability.sealing.tombstones import Range

Place = tuple[str, Any, Any]
"""A leaf: its chain's name, its sequence, the chain's value there."""


def ranges(places: Iterable[Place]) -> list[Range]:
    """The leaves, those that follow one another as one range."""
    found: list[Range] = []
    for name, sequence, chain in sorted(places, key=lambda place: place[:2]):
        last = found[-1] if found else None
        if last is not None and (last.name, last.last + 1) == (name, sequence):
            found[-1] = Range(name, last.first, sequence, bytes(chain))
        else:
            found.append(Range(name, sequence, sequence, bytes(chain)))
    return found
