"""A page to read and to print: charts, the first rows, the policies in force. It has no script and loads nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string

from observability.exporters.base import Chart, Column, Row
from observability.reports.charts import Tally

from .base import RowFile

SHOWN = 500
"""Rows that the page has; all of them are in the other files."""


class HtmlPage(RowFile):
    name = "html"
    title = "HTML, to read and print"
    file = "report.html"

    def __init__(self, folder: Path, columns: Sequence[Column], charts: Sequence[Chart] = ()) -> None:
        super().__init__(folder, columns, charts)
        self._tally = Tally(columns, charts)
        self._first: list[Row] = []

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._tally.add(row)
            if len(self._first) < SHOWN:
                self._first.append(row)

    def close(self, facts: dict[str, Any]) -> None:
        context = {
            "facts": facts,
            "columns": self.columns,
            "rows": [list(zip(self.columns, row, strict=True)) for row in self._first],
            "cut": facts["rows"] > len(self._first),
            "drawings": self._tally.drawings(),
        }
        self.path.write_text(render_to_string("reports/document.html", context), encoding="utf-8")
