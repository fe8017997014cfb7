"""What was sent to providers in one call, and what of it the call's record ends with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

Headers = Sequence[tuple[str, str]]


@dataclass(slots=True)
class SetAside:
    """An attempt that failed: its row, what was forwarded in which dialect, and the headers and chunks that came."""

    row: dict[str, Any]
    forwarded: bytes | None
    dialect: str
    headers: Headers
    answer: Sequence[bytes]


class Attempts:
    """The rows of all attempts; of the last one, or of one taken back, what was forwarded and the answer's headers."""

    __slots__ = ("_began", "_ended_by", "dialect", "forwarded", "headers", "rows")

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.forwarded: bytes | None = None
        self.dialect = ""
        self.headers: Headers = ()
        self._ended_by: dict[str, Any] | None = None
        self._began = 0.0

    def begin(self, provider: str, model: str, body: bytes, dialect: str) -> None:
        """`body` leaves for a provider."""
        self.end("")
        self.forwarded, self.dialect = body, dialect
        self.rows.append({"provider": provider, "model": model, "status": None, "error": "", "ms": None})
        self._began = perf_counter()

    def answered(self, status: int, headers: Headers) -> None:
        self.headers = headers
        if self.rows:
            self.rows[-1]["status"] = status

    def end(self, error: str) -> None:
        """The newest is over, unless it was already."""
        if self.rows and self.rows[-1]["ms"] is None:
            self.rows[-1] |= {"error": error, "ms": (perf_counter() - self._began) * 1000}

    def set_aside(self, answer: Sequence[bytes]) -> SetAside:
        return SetAside(self.rows[-1], self.forwarded, self.dialect, self.headers, answer)

    def take_back(self, attempt: SetAside) -> None:
        self._ended_by = attempt.row
        self.forwarded, self.dialect, self.headers = attempt.forwarded, attempt.dialect, attempt.headers

    @property
    def newest(self) -> tuple[int, dict[str, Any]]:
        """The number of the newest attempt, from 0, and its row; an empty one where there is none."""
        return (len(self.rows) - 1, self.rows[-1]) if self.rows else (0, _NONE)

    @property
    def last(self) -> dict[str, Any]:
        """The row of the attempt that the call ends with."""
        return self._ended_by or self.newest[1]


_NONE: dict[str, Any] = {"provider": "", "model": "", "status": None, "error": "", "ms": None}
