"""An XLSX workbook, written a row at a time; rows that do not fit a sheet go on in a further one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from observability.exporters.base import Chart, Column, Row, Value
from observability.reports.formulas import defused

from .base import RowFile, in_units

SHEET_ROWS = 1_048_575
"""Rows of a sheet, less its head."""
LONGEST = 32_767
"""Characters of a cell."""
_CUT = "\N{HORIZONTAL ELLIPSIS}"
_WIDTHS = {"text": 24, "time": 20, "number": 10, "ms": 10, "dollars": 12}
_SHOWN = {"time": "yyyy-mm-dd hh:mm:ss", "number": "#,##0.##", "ms": "#,##0.0", "dollars": "$#,##0.00####"}


class Spreadsheet(RowFile):
    name = "xlsx"
    title = "Excel (XLSX)"
    file = "rows.xlsx"

    def __init__(
        self, folder: Path, columns: Sequence[Column], charts: Sequence[Chart] = (), sheet_rows: int = SHEET_ROWS
    ) -> None:
        super().__init__(folder, columns, charts)
        options = {
            "constant_memory": True,
            "tmpdir": str(folder),
            "default_date_format": _SHOWN["time"],
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(str(self.path), options)
        self._head = self._book.add_format({"bold": True, "bottom": 1})
        self._shown = [self._book.add_format({"num_format": _SHOWN.get(each.kind, "@")}) for each in columns]
        self._sheet_rows = sheet_rows
        self._sheets = 0
        self._begin_sheet()

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if self._row > self._sheet_rows:
                self._begin_sheet()
            for place, (column, value) in enumerate(zip(self.columns, row, strict=True)):
                self._write(place, in_units(column, value))
            self._row += 1

    def close(self, facts: dict[str, Any]) -> None:
        self._book.set_properties({"title": facts["title"], "author": facts["by"], "comments": "Made by Luthien"})
        self._book.close()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet("Rows" if self._sheets == 1 else f"Rows {self._sheets}")
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(self.columns):
            self._sheet.set_column(place, place, _WIDTHS[column.kind])
            self._sheet.write_string(0, place, column.title, self._head)
        self._row = 1

    def _write(self, place: int, value: Value) -> None:
        shown = self._shown[place]
        if isinstance(value, datetime):
            self._sheet.write_datetime(self._row, place, value.replace(tzinfo=None), shown)
        elif isinstance(value, int | float):
            self._sheet.write_number(self._row, place, value, shown)
        elif value:
            text = defused(value)
            text = text if len(text) <= LONGEST else text[: LONGEST - 1] + _CUT
            self._sheet.write_string(self._row, place, text, shown)
