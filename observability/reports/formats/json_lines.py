"""A JSON object a row: values exactly as they are on record, for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from observability.exporters.base import Chart, Column, Row, Value

from .base import RowFile, in_units


class JsonLines(RowFile):
    name = "jsonl"
    title = "JSON lines"
    file = "rows.jsonl"

    def __init__(self, folder: Path, columns: Sequence[Column], charts: Sequence[Chart] = ()) -> None:
        super().__init__(folder, columns, charts)
        self._names = [column.title.lower().replace(" ", "_") for column in columns]
        self._file = self.path.open("wb")

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            values = (_value(in_units(column, value)) for column, value in zip(self.columns, row, strict=True))
            self._file.write(orjson.dumps(dict(zip(self._names, values, strict=True))) + b"\n")

    def close(self, facts: dict[str, Any]) -> None:
        self._file.close()


def _value(value: Value) -> Value:
    return value.isoformat() if isinstance(value, datetime) else value
