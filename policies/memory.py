"""What a policy first saw in a session, kept in this process. Pure.

The first value of a name stays, so that whoever asks later, or at the same time, gets the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Protocol

Key = tuple[str, str, str]
"""Whose memory it is: policy, mode and session. A policy that only watches remembers for itself."""

MOST_SESSIONS = 10_000
"""Sessions of all policies that a process remembers; the one that was used least recently goes first."""
MOST_NAMES = 2_000
"""Names that one policy may remember in one session."""
LONGEST = 100
"""Characters of a name, and of a value."""


class MemoryFailed(Exception):
    """The session's memory cannot be asked, or is full. Not caught, the policy has failed."""


class Memory(Protocol):
    """Where sessions are remembered."""

    async def first_seen(self, key: Key, values: Mapping[str, str]) -> dict[str, str]:
        """For each name of `values` the value that it was first seen with, be it this one. Raises MemoryFailed."""
        ...


class ProcessMemory:
    """A Memory of one process, which forgets the session that was used least recently."""

    def __init__(self, most_sessions: int = MOST_SESSIONS) -> None:
        self._most = most_sessions
        self._sessions: OrderedDict[Key, dict[str, str]] = OrderedDict()

    async def first_seen(self, key: Key, values: Mapping[str, str]) -> dict[str, str]:
        known = self._sessions.setdefault(key, {})
        self._sessions.move_to_end(key)
        if len(self._sessions) > self._most:
            self._sessions.popitem(last=False)
        if len(known.keys() | values.keys()) > MOST_NAMES:
            raise full()
        for name, value in values.items():
            known.setdefault(name, value)
        return {name: known[name] for name in values}


def check(values: Mapping[str, str]) -> None:
    """Raises ValueError for what is too long to be remembered: keep a digest of it."""
    if any(len(text) > LONGEST for item in values.items() for text in item):
        raise ValueError(f"only {LONGEST} characters of a name and of a value are remembered")


def full() -> MemoryFailed:
    return MemoryFailed(f"the session has more than {MOST_NAMES} names to remember")
