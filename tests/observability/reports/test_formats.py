"""The files of a report, each from the same rows."""

from __future__ import annotations

import csv
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from observability.exporters.base import Chart, Column, Row
from observability.reports.charts import MOST_BARS, MOST_LABELS, OTHERS, Tally
from observability.reports.formats import FORMATS, CsvFile, HtmlPage, JsonLines, Spreadsheet
from observability.reports.formats.base import RowFile

COLUMNS = (
    Column("At", "time"),
    Column("Team"),
    Column("Calls", "number"),
    Column("Cost", "dollars"),
    Column("T", "ms"),
)
CHARTS = (Chart("Calls by team", "Team"), Chart("Cost by team", "Team", "Cost"), Chart("Calls a day", "At"))
AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)
HOSTILE = "=1+1<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}"
ROWS: list[Row] = [(AT, "payments", 3, 1_500_000, 12.5), (AT, HOSTILE, -2, None, None)]
FACTS: dict[str, Any] = {
    "title": "A report", "by": "ada<b>", "since": "2026-01-01T00:00:00+00:00", "until": "2026-02-01T00:00:00+00:00",
    "made_at": "2026-02-01T00:00:01+00:00", "rows": 2, "calls": 1, "events": 0, "filters": {"team": HOSTILE},
    "teams": ["payments"], "policies": [],
}  # fmt: skip


def written(folder: Path, kind: type[RowFile], rows: list[Row] = ROWS, **options: Any) -> bytes:
    file = kind(folder, COLUMNS, CHARTS, **options)
    file.add(rows)
    file.close(FACTS)
    return file.path.read_bytes()


def sheet(raw: Path, name: str = "sheet1") -> str:
    with zipfile.ZipFile(raw) as book:
        return book.read(f"xl/worksheets/{name}.xml").decode()


def test_csv_is_what_spreadsheets_read_and_runs_nothing(tmp_path: Path) -> None:
    raw = written(tmp_path, CsvFile)
    assert raw.startswith(b"\xef\xbb\xbf")
    head, first, second = csv.reader(raw.decode("utf-8-sig").splitlines())
    assert head == ["At (UTC)", "Team", "Calls", "Cost (USD)", "T (ms)"]
    assert first == ["2026-01-02 03:04:05.678", "payments", "3", "1.5", "12.5"]
    assert second == ["2026-01-02 03:04:05.678", "'" + HOSTILE, "-2", "", ""]


def test_json_lines_have_values_as_they_are(tmp_path: Path) -> None:
    first, second = (orjson.loads(line) for line in written(tmp_path, JsonLines).splitlines())
    assert first == {"at": "2026-01-02T03:04:05.678000+00:00", "team": "payments", "calls": 3, "cost": 1.5, "t": 12.5}
    assert (second["team"], second["cost"]) == (HOSTILE, None)


def test_a_workbook_has_numbers_times_and_text_and_no_formula(tmp_path: Path) -> None:
    written(tmp_path, Spreadsheet)
    cells = sheet(tmp_path / "rows.xlsx")
    assert "<f>" not in cells and "&#39;=1+1" in cells.replace("'", "&#39;")
    assert "<v>1.5</v>" in cells and "<v>-2</v>" in cells
    assert 'r="A2" s=' in cells


def test_rows_that_do_not_fit_a_sheet_go_on_in_the_next(tmp_path: Path) -> None:
    written(tmp_path, Spreadsheet, ROWS * 2, sheet_rows=3)
    assert sheet(tmp_path / "rows.xlsx").count("<row ") == 4
    assert sheet(tmp_path / "rows.xlsx", "sheet2").count("<row ") == 2


def test_a_cell_that_is_too_long_for_a_sheet_is_cut(tmp_path: Path) -> None:
    written(tmp_path, Spreadsheet, [(AT, "x" * 40_000, 1, 1, 1.0)])
    assert "x" * 32_766 + "\N{HORIZONTAL ELLIPSIS}" in sheet(tmp_path / "rows.xlsx")


def test_the_page_has_charts_and_runs_nothing(tmp_path: Path) -> None:
    page = written(tmp_path, HtmlPage).decode()
    assert "<script" not in page and "ada&lt;b&gt;" in page and "[U+202E]" in page
    assert page.count("<svg") == 3 and "$1.50" in page
    assert "default-src 'none'" in page


def test_a_page_of_many_rows_has_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observability.reports.formats.html_page.SHOWN", 1)
    assert "The first 1 of 2 rows" in written(tmp_path, HtmlPage).decode()


def test_a_page_of_nothing_says_so(tmp_path: Path) -> None:
    file = HtmlPage(tmp_path, COLUMNS, CHARTS)
    file.close(FACTS | {"rows": 0})
    page = file.path.read_text()
    assert "Nothing on record matches in this period." in page and "None was, in this period." in page
    assert "<svg" not in page


def test_every_format_has_a_file_of_its_own() -> None:
    assert len({each.file for each in FORMATS.values()}) == len(FORMATS)


def test_bars_are_the_largest_and_the_others_together() -> None:
    tally = Tally(COLUMNS, CHARTS[:2])
    for number in range(MOST_BARS + 2):
        for _ in range(number):
            tally.add((AT, f"team {number:02}", 1, 10, 1.0))
    drawing = tally.drawings()[0]
    assert [bar.label for bar in drawing.bars][:2] == ["team 13", "team 12"]
    assert (drawing.bars[-1].label, drawing.bars[-1].number, drawing.height) == (OTHERS, 1, 24 * (MOST_BARS + 1))
    assert max(bar.end for bar in drawing.bars) < 640


def test_memory_is_bounded_however_many_names_there_are() -> None:
    tally = Tally(COLUMNS, CHARTS[:1])
    for number in range(MOST_LABELS + 5):
        tally.add((AT, f"team {number}", 1, None, None))
    (drawing,) = tally.drawings()
    assert drawing.bars[-1] == type(drawing.bars[-1])(OTHERS, MOST_LABELS - MOST_BARS + 5, 24 * MOST_BARS, 340)


def test_days_without_any_have_a_column_too_and_old_ones_are_left_out() -> None:
    tally = Tally(COLUMNS, CHARTS[2:])
    tally.add((AT, "a", 1, 1, 1.0))
    tally.add((AT.replace(day=5), "a", 1, 1, 1.0))
    (drawing,) = tally.drawings()
    assert [day.number for day in drawing.days] == [1, 0, 0, 1]
    tally.add((AT.replace(year=2028), "a", 1, 1, 1.0))
    assert len(tally.drawings()[0].days) == 400
