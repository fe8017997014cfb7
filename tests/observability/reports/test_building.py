from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import orjson
import pytest

from observability.models import AuditEvent
from observability.reports.models import Report
from observability.writer import Writer
from tests.observability.reports.conftest import archive, built, checked

pytestmark = pytest.mark.django_db(transaction=True)


def opened(report: Report) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(archive(report)))


def table(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(opened(report).read("rows.csv").decode("utf-8-sig"))))


def record(report: Report) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in opened(report).read("record.jsonl").splitlines()]


def test_a_report_is_a_signed_archive_that_verifies(recorded: Writer) -> None:
    report = built()
    assert sorted(opened(report).namelist()) == [
        *("manifest.json", "manifest.sig", "record.jsonl", "report.html", "rows.csv", "rows.jsonl", "rows.xlsx")
    ]
    check = checked(archive(report))
    assert check.findings == []
    assert (check.calls, check.events, check.shown, check.redacted) == (6, 0, 0, 0)
    assert (check.leaves, check.sealed) == (7, 7)
    assert (report.rows, report.calls, report.seal) == (6, 6, 2)
    assert AuditEvent.objects.filter(action__startswith="report.").count() == 2
