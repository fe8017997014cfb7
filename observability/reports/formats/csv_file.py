"""Comma-separated values, as spreadsheets read them: UTF-8 with a mark that says so."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from observability.exporters.base import Chart, Column, Row, Value
from observability.reports.formulas import defused

from .base import RowFile, in_units


class CsvFile(RowFile):
    name = "csv"
    title = "CSV"
    file = "rows.csv"

    def __init__(self, folder: Path, columns: Sequence[Column], charts: Sequence[Chart] = ()) -> None:
        super().__init__(folder, columns, charts)
        self._file = self.path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file, quoting=csv.QUOTE_NONNUMERIC)
        self._writer.writerow([defused(_head(column)) for column in columns])

    def add(self, rows: Iterable[Row]) -> None:
        columns = self.columns
        self._writer.writerows(
            [_cell(in_units(column, value)) for column, value in zip(columns, row, strict=True)] for row in rows
        )

    def close(self, facts: dict[str, Any]) -> None:
        self._file.close()


def _head(column: Column) -> str:
    units = {"dollars": " (USD)", "ms": " (ms)", "time": " (UTC)"}
    return column.title + units.get(column.kind, "")


def _cell(value: Value) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return value if isinstance(value, int | float) else defused(value)
