from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import timezone

from observability import tasks
from observability.jobs import jobs
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
        jobs.look_after()
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
    tasks.look_after_jobs()
    assert dict(Job.objects.values_list("kind", "state")) == {"silent": "failed", "busy": "running", "done": "done"}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[object]]]:
    """What the broker is told."""
    told: list[tuple[str, list[object]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **_: told.append((name, args)))
    return told


Sent = list[tuple[str, list[object]]]


def silent(**given: object) -> Job:
    """A job whose worker has not been heard of."""
    defaults = {"kind": "export", "state": "running", "attempts": 1, "task": "tests.export", "arguments": [7]}
    long_ago = timezone.now() - jobs.STUCK_AFTER * 2
    return Job.objects.create(**(defaults | {"heartbeat_at": long_ago, "queued_at": long_ago} | given))


def test_a_stuck_job_is_begun_again_and_its_log_says_so(sent: Sent) -> None:
    job = silent()
    jobs.look_after()
    job.refresh_from_db()
    assert (job.state, sent) == ("queued", [("tests.export", [7])])
    assert job.log.endswith("Its worker fell silent; it is begun again.")
    jobs.look_after()
    assert len(sent) == 1


def test_the_worker_that_was_given_up_cannot_speak_for_the_one_in_its_place(sent: Sent) -> None:
    with jobs.running(jobs.create("export", task="tests.export")) as late:
        Job.objects.update(heartbeat_at=timezone.now() - jobs.STUCK_AFTER * 2)
        jobs.look_after()
        with jobs.running(Job.objects.get()) as progress:
            progress.job.total = 3
            with pytest.raises(jobs.Cancelled):
                late.write()
            progress.advance(3)
    row = Job.objects.get()
    assert (row.state, row.attempts, row.progress) == ("done", 2, 3)


def test_a_job_that_keeps_killing_its_workers_is_given_up(sent: Sent) -> None:
    silent(attempts=jobs.MOST_ATTEMPTS)
    jobs.look_after()
    assert (Job.objects.get().state, sent) == ("failed", [])


def test_a_stuck_job_that_was_to_be_cancelled_is(sent: Sent) -> None:
    silent(cancel_asked=True)
    jobs.look_after()
    assert (Job.objects.get().state, sent) == ("cancelled", [])


def test_a_job_whose_message_was_lost_is_told_again(sent: Sent) -> None:
    silent(state="queued", heartbeat_at=None)
    Job.objects.create(kind="new", task="tests.new")
    jobs.look_after()
    jobs.look_after()
    assert sent == [("tests.export", [7])]


@pytest.mark.django_db(transaction=True)
def test_a_job_is_sent_once_its_transaction_is_there(sent: Sent) -> None:
    with transaction.atomic():
        jobs.queue(jobs.create("export", task="tests.export", arguments=[1]))
        assert sent == []
    assert sent == [("tests.export", [1])]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_loses_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(current_app, "send_task", fail)
    jobs.queue(jobs.create("export", task="tests.export"))
    row = Job.objects.get()
    assert (row.state, row.message) == ("queued", "The broker of jobs cannot be reached; it is tried again.")


def test_a_log_keeps_its_last_lines_one_each() -> None:
    with jobs.running(jobs.create("export")) as progress:
        for number in range(jobs.LOG_LINES + 5):
            progress.say(f"line {number}\nof two")
    lines = Job.objects.get().log.splitlines()
    assert len(lines) == jobs.LOG_LINES
    assert lines[-1].endswith(f"line {jobs.LOG_LINES + 4} of two")


def test_a_percentage_is_never_over_a_hundred() -> None:
    assert [Job(progress=done, total=total).percent for done, total in ((0, 0), (1, 3), (5, 3))] == [0, 33, 100]


def test_what_is_scheduled_is_there() -> None:
    import_module("gateway.tasks")
    assert {entry["task"] for entry in BEAT_SCHEDULE.values()} <= set(current_app.tasks)


def test_the_admin_shows_jobs_and_lets_nobody_edit_them(client: Client) -> None:
    job = jobs.create("export")
    client.force_login(User.objects.create_superuser("admin"))
    page = client.get(f"/admin/observability/job/{job.pk}/change/")
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert client.post(f"/admin/observability/job/{job.pk}/change/", {"kind": "x"}).status_code == 403
    assert client.get("/admin/observability/job/add/").status_code == 403
    assert client.post(f"/admin/observability/job/{job.pk}/delete/").status_code == 403
