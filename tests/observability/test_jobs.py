from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from observability import jobs, tasks
from observability.models import Job
from observability.schedule import BEAT_SCHEDULE

pytestmark = pytest.mark.django_db


def test_a_job_is_done_when_its_work_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.0)
    job = jobs.create("export", "ada", total=10)
    with jobs.running(job) as progress:
        progress.advance(4, "four")
        row = Job.objects.get()
        assert (row.state, row.progress, row.total, row.message, row.created_by) == ("running", 4, 10, "four", "ada")
    row = Job.objects.get()
    assert (row.state, row.message) == ("done", "four")
    assert row.finished_at is not None


def test_a_job_whose_work_raises_has_failed_and_does_not_quote_the_error() -> None:
    with pytest.raises(ValueError, match="secret"), jobs.running(jobs.create("export")):
        raise ValueError("secret")
    row = Job.objects.get()
    assert (row.state, row.message) == ("failed", "Failed: ValueError")


def test_a_job_that_nobody_has_begun_is_cancelled_at_once() -> None:
    job = jobs.create("export")
    jobs.cancel(job)
    assert Job.objects.get().state == "cancelled"
    with pytest.raises(jobs.Cancelled), jobs.running(job):
        raise AssertionError("it was begun")


def test_a_job_that_runs_stops_when_it_reports_next() -> None:
    with jobs.running(jobs.create("export")) as progress:
        jobs.cancel(progress.job)
        assert Job.objects.get().state == "running"
        progress.write()
        raise AssertionError("it went on")
    row = Job.objects.get()
    assert (row.state, row.message) == ("cancelled", "Cancelled.")


def test_a_job_that_was_given_up_stays_so_whatever_its_worker_says_later() -> None:
    with jobs.running(jobs.create("export")) as progress:
        Job.objects.update(heartbeat_at=timezone.now() - jobs.STUCK_AFTER * 2)
        jobs.fail_stuck()
        with pytest.raises(jobs.Cancelled):
            progress.write()
    assert Job.objects.get().state == "failed"


def test_a_job_is_begun_once() -> None:
    job = jobs.create("export")
    with jobs.running(job), pytest.raises(jobs.Cancelled), jobs.running(job):
        raise AssertionError("it was begun twice")
    jobs.cancel(job)
    assert Job.objects.get().state == "done"


def test_a_job_that_is_begun_anew_is_no_longer_its_first_workers() -> None:
    job = jobs.create("export")
    with jobs.running(job) as first:
        assert jobs.restart(Job.objects.get())
        again = Job.objects.get()
        assert (again.state, again.started_at) == ("queued", None)
        with jobs.running(again):
            with pytest.raises(jobs.Cancelled):
                first.write()
            assert not jobs.restart(job)
            assert Job.objects.get().state == "running"
    assert Job.objects.get().state == "done"


def test_a_failure_that_is_told_in_a_sentence_is_shown() -> None:
    with pytest.raises(jobs.Failure), jobs.running(jobs.create("export")):
        raise jobs.Failure("The disk is full.")
    assert Job.objects.get().message == "The disk is full."


def test_a_job_that_fell_silent_is_found() -> None:
    now = timezone.now()
    Job.objects.create(kind="silent", state="running", heartbeat_at=now - jobs.STUCK_AFTER - timedelta(seconds=1))
    Job.objects.create(kind="busy", state="running", heartbeat_at=now)
    Job.objects.create(kind="done", state="done", heartbeat_at=now - timedelta(days=1))
    tasks.fail_stuck_jobs()
    assert dict(Job.objects.values_list("kind", "state")) == {"silent": "failed", "busy": "running", "done": "done"}


def test_what_is_scheduled_is_there() -> None:
    names = {task.name for task in (tasks.collect_blobs, tasks.fail_stuck_jobs)}
    assert {entry["task"] for entry in BEAT_SCHEDULE.values()} == names


def test_the_admin_shows_jobs_and_lets_nobody_edit_them(client: Client) -> None:
    job = jobs.create("export")
    client.force_login(User.objects.create_superuser("admin"))
    page = client.get(f"/admin/observability/job/{job.pk}/change/")
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert client.post(f"/admin/observability/job/{job.pk}/change/", {"kind": "x"}).status_code == 403
    assert client.get("/admin/observability/job/add/").status_code == 403
    assert client.post(f"/admin/observability/job/{job.pk}/delete/").status_code == 403
