"""The pages of reports: who may see and get what."""

from __future__ import annotations

import asyncio
import io
import itertools
import zipfile
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from luthien_site import roles
from observability.jobs import jobs
from observability.models import AuditEvent, Job
from observability.recording.writer import Writer
from observability.reports import building
from observability.reports.folder import folder, path_of
from observability.reports.models import Report
from tests.observability.reports.conftest import archive, asked, built, checked

pytestmark = pytest.mark.django_db(transaction=True)

_numbers = itertools.count()


def member(*groups: str, permissions: tuple[str, ...] = ()) -> Client:
    """Somebody of these groups, logged in; their name is that of the first group."""
    roles.make()
    user, _ = User.objects.get_or_create(username=groups[0] if groups else f"nobody{next(_numbers)}")
    user.groups.set([Group.objects.get_or_create(name=name)[0] for name in groups])
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def ask(client: Client, kind: str = "calls", **fields: Any) -> Any:
    usual = {"since": "2020-01-01T00:00", "until": "2100-01-01T00:00", "formats": ["jsonl"], "days": "7"}
    return client.post(f"/reports/new/{kind}/", usual | fields)


def made(client: Client, kind: str = "calls", **fields: Any) -> Report:
    """The report that `client` asked for, built."""
    answer = ask(client, kind, **fields)
    assert answer.status_code == 302, answer.content.decode()
    pk = int(answer["Location"].strip("/").split("/")[-1])
    building.build(pk)
    return Report.objects.select_related("job").get(pk=pk)


def content(answer: Any) -> bytes:
    async def read() -> bytes:
        return b"".join([chunk async for chunk in cast(AsyncIterator[bytes], answer.streaming_content)])

    return asyncio.run(read())


def test_a_report_is_asked_for_watched_and_taken_away(recorded: Writer) -> None:
    reviewer = member("reviewer")
    assert "No report yet" in reviewer.get("/reports/").content.decode()
    location = ask(reviewer, contents="on", team="payments")["Location"]
    assert 'hx-trigger="every 1s"' in reviewer.get(location).content.decode()
    assert "Waiting for a worker." in reviewer.get(f"{location}progress/").content.decode()
    pk = Report.objects.get().pk
    assert reviewer.get(f"{location}download/").status_code == 410
    building.build(pk)
    assert reviewer.get(f"{location}progress/")["HX-Refresh"] == "true"
    answer = reviewer.get(f"{location}download/")
    raw = content(answer)
    assert answer["Content-Length"] == str(len(raw)) and "no-store" in answer["Cache-Control"]
    check = checked(raw)
    assert (check.findings, check.calls, check.redacted) == ([], 5, 0) and check.shown > 0
    events = AuditEvent.objects.filter(action__startswith="report.").order_by("pk")
    assert [(each.actor, each.action) for each in events] == [
        ("reviewer", "report.asked"),
        ("reviewer", "report.made"),
        ("reviewer", "report.downloaded"),
    ]
    assert events[0].detail["filters"] == {"team": "payments"}
    assert "calls" in reviewer.get("/reports/").content.decode()


def test_strangers_log_in_and_people_without_the_right_are_told(client: Client) -> None:
    pk = asked().pk
    for path in ("", "new/calls/", f"{pk}/", f"{pk}/progress/", f"{pk}/download/"):
        assert client.get(f"/reports/{path}")["Location"].startswith("/login/")
        for groups in (("policy author",), ("team", "team:payments"), ()):
            assert member(*groups).get(f"/reports/{path}").status_code == 403


def test_reports_are_their_makers_and_admins(recorded: Writer) -> None:
    report = made(member("reviewer"))
    other = member("auditor")
    for path in ("", "progress/", "download/"):
        assert other.get(f"/reports/{report.pk}/{path}").status_code == 404
    for path in ("cancel/", "delete/"):
        assert other.post(f"/reports/{report.pk}/{path}").status_code == 404
    assert f"/reports/{report.pk}/" not in other.get("/reports/").content.decode()
    admin = member("admin")
    assert admin.get(f"/reports/{report.pk}/download/").status_code == 200
    assert f"/reports/{report.pk}/" in admin.get("/reports/").content.decode()


def test_an_auditor_gets_all_calls_and_nothing_of_what_was_said(recorded: Writer) -> None:
    report = made(member("auditor"), contents="on", formats=["jsonl", "csv", "html"])
    raw = archive(report)
    check = checked(raw)
    assert (check.findings, check.calls, check.shown) == ([], 6, 0)
    assert check.redacted > 10
    blocked = made(member("auditor"), "blocked_calls", formats=["jsonl"])
    assert b"(redacted)" in unzipped(blocked, "rows.jsonl") and b"calc" not in unzipped(blocked, "rows.jsonl")
    for said in (b"what the model said", b"what the client got", b'"said"', b"something was left out", b"user-agent"):
        assert said not in unzipped(report, "record.jsonl")


def test_a_member_of_a_team_reports_on_its_calls_and_on_no_events(recorded: Writer) -> None:
    limited = member("reviewer", "team:research")
    report = made(limited, contents="on")
    assert (report.calls, report.teams) == (1, ["research"])
    assert "new/data_access/" not in limited.get("/reports/").content.decode()
    assert limited.get("/reports/new/data_access/").status_code == 403
    assert ask(limited, "policy_changes").status_code == 403


def test_rights_that_were_taken_away_count_at_the_download(recorded: Writer) -> None:
    reports = [made(member("reviewer"), kind, contents="on") for kind in ("calls", "data_access")]
    later = member("reviewer", "team:research")
    for report in reports:
        assert later.get(f"/reports/{report.pk}/download/").status_code == 403
        assert "more than you may see now" in later.get(f"/reports/{report.pk}/").content.decode()


def test_who_lost_the_right_to_read_calls_gets_no_bodies(recorded: Writer) -> None:
    report = made(member("reviewer"), contents="on")
    Group.objects.get(name="reviewer").permissions.remove(Permission.objects.get(codename="view_callrecord"))
    assert member("reviewer").get(f"/reports/{report.pk}/download/").status_code == 403


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"formats": []}, "This field is required."),
        ({"formats": ["pdf"]}, "is not one of the available choices"),
        ({"since": "2026-01-02T00:00", "until": "2026-01-01T00:00"}, "This is not after the other end."),
        ({"since": "soon"}, "Enter a valid date/time."),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"outcome": "open"}, "is not one of the available choices"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(fields: dict[str, Any], problem: str) -> None:
    answer = ask(member("reviewer"), **fields)
    assert (answer.status_code, problem in answer.content.decode()) == (422, True)
    assert not Report.objects.exists()


def test_an_unknown_report_is_nothing() -> None:
    assert member("reviewer").get("/reports/new/none/").status_code == 404


def test_a_report_is_cancelled_before_and_while_it_is_built(recorded: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    reviewer = member("reviewer")
    location = ask(reviewer)["Location"]
    reviewer.post(f"{location}cancel/")
    building.build(Report.objects.get().pk)
    assert "Ask for it again" in reviewer.get(location).content.decode()
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(building, "pack", lambda *given: Job.objects.update(cancel_asked=True) and (1, ""))
    second = made(reviewer)
    assert (second.job.state, second.is_there, list(folder().iterdir())) == ("cancelled", False, [])
    assert AuditEvent.objects.filter(action="report.cancelled").count() == 1


def test_a_file_is_deleted_or_missing_and_the_page_says_so(recorded: Writer) -> None:
    reviewer = member("reviewer")
    report = made(reviewer)
    url = f"/reports/{report.pk}/"
    path_of(report).unlink()
    gone = reviewer.get(f"{url}download/")
    assert (gone.status_code, "in common" in gone.content.decode()) == (410, True)
    reviewer.post(f"{url}delete/")
    reviewer.post(f"{url}delete/")
    assert "It was deleted" in reviewer.get(f"{url}download/").content.decode()
    assert "Its file is gone since" in reviewer.get(url).content.decode()
    assert AuditEvent.objects.filter(action="report.deleted").count() == 1


def unzipped(report: Report, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive(report))) as file:
        return file.read(name)


def test_a_report_of_a_kind_that_is_gone_can_still_be_seen(recorded: Writer) -> None:
    report = built()
    Report.objects.update(kind="of_old")
    admin = member("admin")
    assert "of_old" in admin.get(f"/reports/{report.pk}/").content.decode()
    assert admin.get(f"/reports/{report.pk}/download/").status_code == 403
