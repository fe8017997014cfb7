"""Where a viewer stands: what it needs to go on after an interruption, as text. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_FORM = re.compile(r"(\d{1,17})-(\d{1,17})\Z", re.ASCII)


class Cursor(NamedTuple):
    """All events before `told` were told; no call that began before `oldest` was open then. Microseconds since 1970."""

    told: int
    oldest: int

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """None for what is no cursor."""
        found = _FORM.match(text)
        return cls(int(found[1]), min(int(found[1]), int(found[2]))) if found else None

    def __str__(self) -> str:
        return f"{self.told}-{self.oldest}"
