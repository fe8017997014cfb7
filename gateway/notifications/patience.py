"""How long an endpoint that does not take a delivery is tried again. Pure."""

from __future__ import annotations

from datetime import timedelta

GIVE_UP_AFTER = timedelta(days=1)
_FIRST = 10.0
_LONGEST = 2 * 3600.0


def wait(attempts: int) -> timedelta:
    """How long to wait after that many attempts have failed: 10 s, twice as long each time, two hours at most."""
    return timedelta(seconds=min(_FIRST * 2 ** min(attempts - 1, 16), _LONGEST))
