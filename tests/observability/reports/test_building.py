from __future__ import annotations

import csv
import errno
import io
import zipfile
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from observability import tasks
from observability.bodies.recipes import PayloadDamaged
from observability.jobs import jobs
from observability.models import AuditEvent, Job
from observability.recording.writer import Writer
from observability.reports import building
from observability.reports.folder import folder, path_of, put_in_place
from observability.reports.models import Report
from tests.observability.reports.conftest import FORMULA, archive, asked, built, checked

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


def test_cells_that_a_spreadsheet_might_run_are_defused_in_the_file(recorded: Writer) -> None:
    (row,) = table(built(filters={"team": "research"}))
    assert row["Session"] == "'+SUM(A1)"
    (row,) = table(built("blocked_calls", filters={"team": "research"}))
    assert row["Reason"] == f"'{FORMULA}"


def test_audit_events_are_proven_by_their_leaves(recorded: Writer) -> None:
    report = built("policy_changes", filters={"actor": "grace"})
    assert [row["Did"] for row in table(report)] == ["activated"]
    check = checked(archive(report))
    assert (check.findings, check.calls, check.events) == ([], 0, 1)
    assert table(built("data_access"))[0]["What"] == "call_1"


def test_usage_stands_on_the_leaves_of_all_its_calls(recorded: Writer) -> None:
    report = built("usage", filters={"team": "payments"})
    assert sum(int(row["Calls"]) for row in table(report)) == 5
    assert set(record(report)[0]) == {"call", "leaf", "place"}
    check = checked(archive(report))
    assert (check.findings, check.calls) == ([], 5)


@pytest.mark.parametrize(
    ("filters", "calls"),
    [({"policy": "no-shell"}, 5), ({"action": "allow"}, 5), ({"outcome": "finished"}, 1), ({"key": "nobody"}, 0)],
)
def test_filters_choose_calls(recorded: Writer, filters: dict[str, str], calls: int) -> None:
    assert built(filters=filters).calls == calls


def test_pages_of_the_record_follow_one_another(recorded: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observability.reports.sources.PAGE", 1)
    whole = [row["Call"] for row in table(built())]
    assert len(whole) == len(set(whole)) == 6
    assert len(table(built("policy_changes"))) == 9


def test_a_body_that_is_damaged_is_said_to_be(recorded: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    def payload(record: object, name: str) -> bytes:
        raise PayloadDamaged("a blob is missing")

    monkeypatch.setattr("observability.reports.building.queries.payload", payload)
    report = built(contents=True)
    assert record(report)[0]["bodies"]["request_original"] == {"missing": "it is damaged: a blob is missing"}
    assert (checked(archive(report)).findings, checked(archive(report)).shown) == ([], 0)


@pytest.mark.parametrize(
    ("code", "told"),
    [(errno.ENOSPC, "The disk is full"), (errno.EROFS, "cannot be written to"), (errno.EIO, "OSError")],
)
def test_a_disk_that_does_not_take_it_is_told(
    recorded: Writer, monkeypatch: pytest.MonkeyPatch, code: int, told: str
) -> None:
    def pack(*given: object) -> None:
        raise OSError(code, "no")

    monkeypatch.setattr(building, "pack", pack)
    report = asked()
    with nullcontext() if code != errno.EIO else pytest.raises(OSError, match="no"):
        building.build(report.pk)
    job = Job.objects.get(pk=report.job_id)
    assert (job.state, told in job.message, list(folder().iterdir())) == ("failed", True, [])


def test_a_report_is_built_once_whoever_is_told_to(recorded: Writer) -> None:
    report = built()
    before = path_of(report).stat().st_mtime_ns
    building.build(report.pk)
    assert path_of(report).stat().st_mtime_ns == before
    assert AuditEvent.objects.filter(action="report.made").count() == 1


def test_a_worker_that_wakes_late_spoils_nothing(recorded: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    report, real = asked(), put_in_place

    def renamed_late(draft: Path, final: Path) -> None:
        real(draft, final)
        monkeypatch.setattr(building, "put_in_place", real)
        assert jobs.restart(Job.objects.get(pk=report.job_id))
        building.build(report.pk)

    monkeypatch.setattr(building, "put_in_place", renamed_late)
    building.build(report.pk)
    report.refresh_from_db()
    assert (report.job.state, report.file) == ("done", f"{report.pk}-2.zip")
    assert [path.name for path in folder().iterdir()] == [report.file]
    assert checked(archive(report)).findings == []
    assert AuditEvent.objects.filter(action="report.made").count() == 1


def test_reports_go_when_their_date_has_passed(recorded: Writer) -> None:
    kept, due = built(), built(keep=timedelta(seconds=-1))
    waiting = asked(keep=timedelta(seconds=-1))
    tasks.expire_reports()
    assert dict(Report.objects.values_list("pk", "file")) == {kept.pk: kept.file, due.pk: "", waiting.pk: ""}
    assert [path.name for path in folder().iterdir()] == [kept.file]
    assert [event.subject for event in AuditEvent.objects.filter(action="report.expired")] == [str(due.pk)]


def test_a_kind_that_this_version_does_not_have_is_told() -> None:
    report = asked()
    Report.objects.update(kind="of_old")
    building.build(report.pk)
    assert "has no report 'of_old'" in Job.objects.get(pk=report.job_id).message


def test_the_policies_that_were_in_force_stand_in_the_manifest(recorded: Writer) -> None:
    facts = orjson.loads(opened(built()).read("manifest.json"))
    assert [(each["policy"], each["version"], each["mode"]) for each in facts["policies"]] == [
        ("words", 1, "enforce"),
        ("words", 2, "shadow"),
        ("ended", 1, "enforce"),
    ]
    assert facts["policies"][1]["to"] is None and "words@2" in opened(built()).read("report.html").decode()
