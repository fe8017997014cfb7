"""Where a call's time went. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """What the gateway measured, in seconds since the call began; zero where the call did not come to that."""

    answered: float
    first_event: float
    held: float

    def now(self) -> float: ...

    def overhead(self, until: float) -> float: ...


@dataclass(slots=True)
class Timings:
    """Milliseconds; None where the call did not come to that."""

    upstream_head: float | None = None
    first_event: float | None = None
    total: float | None = None
    hold: float | None = None
    overhead: float | None = None

    @classmethod
    def by(cls, clock: Clock) -> Timings:
        """What `clock` says, up to now."""
        now = clock.now()
        return cls(
            upstream_head=clock.answered * 1000 or None,
            first_event=clock.first_event * 1000 or None,
            total=now * 1000,
            hold=clock.held * 1000,
            overhead=clock.overhead(clock.first_event or now) * 1000,
        )
