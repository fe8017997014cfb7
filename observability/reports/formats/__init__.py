"""The files in which a report's rows stand."""

from __future__ import annotations

from .base import RowFile
from .csv_file import CsvFile
from .html_page import HtmlPage
from .json_lines import JsonLines
from .spreadsheet import Spreadsheet

__all__ = ["FORMATS", "CsvFile", "HtmlPage", "JsonLines", "RowFile", "Spreadsheet"]

FORMATS: dict[str, type[RowFile]] = {each.name: each for each in (CsvFile, Spreadsheet, JsonLines, HtmlPage)}
