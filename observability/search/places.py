"""A call's place in the index: a number that rises with the time at which the call began. Pure."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
LATEST = EPOCH + timedelta(days=71 * 365)
"""Places of later calls would not fit into 63 bits."""
SHIFT = 12
"""Bits that tell calls of one microsecond apart."""
_MICROSECOND = timedelta(microseconds=1)


def first_place(at: datetime) -> int:
    """The first place of a call that began then."""
    return ((min(max(at, EPOCH), LATEST) - EPOCH) // _MICROSECOND) << SHIFT


def place_of(at: datetime, id: str) -> int:
    """The place of a call, unless another has it already; then it is the next that is free."""
    return first_place(at) + (zlib.crc32(id.encode()) & ((1 << SHIFT) - 1))


def time_of(place: int) -> datetime:
    """When a call of that place began."""
    return EPOCH + (place >> SHIFT) * _MICROSECOND
