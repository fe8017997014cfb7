"""The pages of jobs: who sees which, cancel, and how the record stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from observability.figures.seldom import Seldom
from observability.jobs import jobs
from observability.models import AuditEvent, Job, Seal, Worker
from observability.recovery.journal import Journal
from tests.people import member_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def job() -> Job:
    """One that runs, with a log."""
    job = jobs.create("export", "ada", total=10)
    Job.objects.update(
        state="running", progress=4, message="four of ten", log="10:00:00 begun <b>", heartbeat_at=timezone.now()
    )
    job.refresh_from_db()
    return job


@pytest.mark.parametrize(
    ("group", "reads", "cancels"),
    [
        ("admin", True, True),
        ("reviewer", True, False),
        ("policy author", False, False),
        ("team", False, False),
        ("nobody", False, False),
    ],
)
def test_who_sees_jobs_and_who_cancels_them(job: Job, group: str, reads: bool, cancels: bool) -> None:
    client = member_of(group)
    for path in ("/jobs/", f"/jobs/{job.pk}/", f"/jobs/{job.pk}/progress/"):
        assert (client.get(path).status_code == 200) == reads, path
    assert (client.post(f"/jobs/{job.pk}/cancel/").status_code == 302) == cancels
    job.refresh_from_db()
    assert job.cancel_asked == cancels
    assert AuditEvent.objects.filter(action="job.cancelled", actor="someone").count() == cancels


def test_strangers_are_asked_to_log_in(job: Job, client: Client) -> None:
    assert client.get("/jobs/")["Location"].startswith("/login/")


def test_members_of_a_team_see_their_own_jobs_alone(job: Job) -> None:
    client = member_of("reviewer", "team:payments")
    mine = jobs.create("backtest", "someone")
    page = client.get("/jobs/")
    assert list(page.context["jobs"]) == [mine]
    assert page.context["standing"] is None
    assert client.get(f"/jobs/{job.pk}/").status_code == 404


def test_a_job_shows_how_far_it_is_and_what_it_said(job: Job) -> None:
    client = member_of("admin")
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert 'value="40"' in page
    assert "four of ten" in page
    assert "begun &lt;b&gt;" in page
    Job.objects.update(state="done")
    assert client.get(f"/jobs/{job.pk}/progress/")["HX-Refresh"] == "true"


def test_a_job_that_is_over_is_not_cancelled(job: Job) -> None:
    Job.objects.update(state="done")
    member_of("admin").post(f"/jobs/{job.pk}/cancel/")
    assert not AuditEvent.objects.filter(action="job.cancelled").exists()


def test_jobs_come_in_pages_and_by_their_state() -> None:
    for _ in range(60):
        jobs.create("export")
    client = member_of("admin")
    first = client.get("/jobs/")
    assert len(first.context["jobs"]) == 50
    assert len(client.get(f"/jobs/?before={first.context['next']}").context["jobs"]) == 10
    assert len(client.get("/jobs/?state=done").context["jobs"]) == 0


def test_what_waits_on_disk_is_told_on_every_page(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from observability.jobs import standing

    settings.LUTHIEN_DATA_DIR = tmp_path
    monkeypatch.setattr(standing, "_waiting", Seldom(standing._waiting._look, lambda: 0.0, 0))
    client = member_of("admin")
    assert "Records wait on disk" not in client.get("/jobs/").content.decode()
    journal = Journal(tmp_path / "spill" / "one.journal", 0)
    journal.append([[("SQL", [("x" * 3000,)])]], 1)
    Worker.objects.create(name="w", started_at=timezone.now(), heartbeat_at=timezone.now())
    Seal.objects.create(number=1, at=timezone.now(), line="")
    page = client.get("/jobs/").content.decode()
    assert page.count("Records wait on disk") == 1
    assert "1 alive" in page
    assert client.get("/").content.decode().count("Records wait on disk") == 1
    journal.begin_anew()
    assert "Records wait on disk" not in client.get("/").content.decode()
