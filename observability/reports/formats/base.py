"""A file that takes rows a page at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from observability.exporters.base import Chart, Column, Row, Value

MICRO = 1_000_000


class RowFile(ABC):
    """`facts` is what the manifest says of the report (manifest.py). Nothing of many rows is kept in memory."""

    name: ClassVar[str]
    title: ClassVar[str]
    file: ClassVar[str]

    def __init__(self, folder: Path, columns: Sequence[Column], charts: Sequence[Chart] = ()) -> None:
        self.path = folder / self.file
        self.columns = columns

    @abstractmethod
    def add(self, rows: Iterable[Row]) -> None:
        """Raises OSError."""

    @abstractmethod
    def close(self, facts: dict[str, Any]) -> None:
        """There are no more rows. Raises OSError."""


def in_units(column: Column, value: Value) -> Value:
    """Money in dollars; times in UTC; other values as they are."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if column.kind == "dollars" and isinstance(value, int):
        return value / MICRO
    return value
