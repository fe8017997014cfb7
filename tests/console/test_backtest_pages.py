"""The pages of backtests: who may see what, in the Django client and in a real browser beside a real worker."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest
from celery import current_app
from django.test import Client
from playwright.sync_api import Page

from gateway.console.backtest import results, running
from gateway.console.backtest.models import Backtest, BacktestCall
from observability.models import AuditEvent, CallRecord, Job
from tests.console import seed
from tests.console.backtests import done, made, queued, twenty
from tests.console.browser import browse, faults, log_in
from tests.console.conftest import ADMIN
from tests.console.test_playground import AUTHORS
from tests.people import READS_CALLS, browser_of
from tests.plugins import forked
from tests.plugins.forked import Forked
from tests.plugins.live import LiveLuthien

__all__ = ["queued"]

URL = "/policies/backtests/"
NO_BASH = {"policy_class": "tool_filter", "config-json": '{"deny": ["Bash"]}'}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def author(transactional_db: None) -> Client:
    return browser_of("author", *AUTHORS, *READS_CALLS)


def test_a_broker_that_is_away_is_told_on_the_page(author: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: object, **__: object) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(current_app, "send_task", send)
    page = author.post(URL, {**NO_BASH, "most": "5"}, follow=True).content.decode()
    assert "The broker of jobs cannot be reached" in page


def test_only_authors_who_see_calls_may_run_one(client: Client, queued: list[int]) -> None:
    assert client.get(URL)["Location"].startswith("/login/")
    assert browser_of("reader", "view_callrecord").get(URL).status_code == 403
    assert browser_of("writer", *AUTHORS).post(URL, {**NO_BASH, "most": "5"}).status_code == 403
    assert queued == []


def test_a_member_of_a_team_runs_over_its_calls_and_sees_no_others_results(queued: list[int], author: Client) -> None:
    seed.fill(seed.ordinary)
    member = browser_of("member", *AUTHORS, *READS_CALLS, groups=["team:research"])
    own = int(re.findall(r"\d+", member.post(URL, {**NO_BASH, "most": "50"})["Location"])[-1])
    everybodys = int(re.findall(r"\d+", author.post(URL, {**NO_BASH, "most": "50"})["Location"])[-1])
    for pk in (own, everybodys):
        running.run(pk)
    assert list(BacktestCall.objects.filter(backtest=own).values_list("call_id", flat=True)) == [seed.PLAIN]
    assert member.get(f"{URL}{own}/").status_code == 200
    for path in ("", "progress/", "calls/0/"):
        assert member.get(f"{URL}{everybodys}/{path}").status_code == 404
    assert member.post(f"{URL}{everybodys}/cancel/").status_code == 404
    assert author.get(f"{URL}{own}/").status_code == 200


def test_its_calls_are_walked_through_with_the_bodies_in_the_audit(author: Client, queued: list[int]) -> None:
    seed.fill(twenty)
    backtest = made()
    done(backtest)
    walk = [row.position for row in results.chosen(backtest, "now", "newly_blocked")]
    page = author.get(f"{URL}{backtest.pk}/calls/{walk[1]}/?change=newly_blocked").content.decode()
    assert f"calls/{walk[0]}/?against=now" in page and f"calls/{walk[2]}/?against=now" in page
    assert "this tool is not allowed" in page
    (event,) = AuditEvent.objects.filter(action="call.replayed")
    assert event.detail == {"policy": "draft of tool_filter", "backtest": backtest.pk}
    then = author.get(f"{URL}{backtest.pk}/calls/{walk[1]}/?against=then").content.decode()
    assert "got then" in then and "this tool is not allowed" in then
    CallRecord.objects.filter(pk=backtest.calls.get(position=walk[1]).call_id).delete()
    gone = author.get(f"{URL}{backtest.pk}/calls/{walk[1]}/").content.decode()
    assert "no longer on record" in gone


@pytest.mark.parametrize("query", ["against=never", "change=never"])
def test_an_odd_address_is_nothing(author: Client, queued: list[int], query: str) -> None:
    assert author.get(f"{URL}{made().pk}/?{query}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "Choose a stored version, or the class of a draft."),
        ({**NO_BASH, "most": "0"}, "greater than or equal to 1"),
        ({**NO_BASH, "since": "2026-01-02T00:00", "until": "2026-01-01T00:00"}, "This is not after the other end."),
    ],
)
def test_what_is_wrong_stands_beside_its_field(author: Client, fields: dict[str, str], problem: str) -> None:
    answer = author.post(URL, {"most": "5", **fields})
    assert (answer.status_code, problem in answer.content.decode()) == (422, True)


def test_a_part_is_never_shown_as_the_whole(author: Client, queued: list[int]) -> None:
    seed.fill(twenty)
    backtest = made()
    done(backtest)
    Job.objects.filter(pk=backtest.job.pk).update(state="failed", message="Its worker stopped before it was done.")
    page = author.get(f"{URL}{backtest.pk}/").content.decode()
    assert "It did not come to its end." in page and "(so far)" in page
    Job.objects.filter(pk=backtest.job.pk).update(state="running", heartbeat_at="2026-01-01T00:00Z")
    assert "has not been heard of" in author.get(f"{URL}{backtest.pk}/progress/").content.decode()


def test_what_failed_is_run_again_as_it_was_asked_for(author: Client, queued: list[int]) -> None:
    seed.fill(twenty)
    failed = made(most=7, filters={"team": "payments"})
    Job.objects.filter(pk=failed.job.pk).update(state="failed")
    assert "Run again" in author.get(f"{URL}{failed.pk}/").content.decode()
    again = author.post(f"{URL}{failed.pk}/again/")["Location"]
    other = Backtest.objects.latest("pk")
    assert again == f"{URL}{other.pk}/" and other.pk != failed.pk and queued[-1] == other.pk
    for name in ("policy", "version", "registered_name", "config", "together", "judges", "filters", "most"):
        assert getattr(other, name) == getattr(failed, name)
    running.run(other.pk)
    assert other.calls.count() == 7
    member = browser_of("member", *AUTHORS, *READS_CALLS, groups=["team:research"])
    assert member.post(f"{URL}{failed.pk}/again/").status_code == 404


@pytest.fixture(scope="module")
def worked(site: LiveLuthien) -> Iterator[LiveLuthien]:
    """The site with calls on record and a real worker beside it."""
    site.manage("shell", "-v", "0", "-c", "from tests.console import seed, backtests; seed.fill(backtests.twenty)")
    worker = start_worker(site)
    try:
        yield site
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(120)


ASK = """
from tests.console import backtests
backtests.made(config={"deny": ["Bash"]}, most=300)
"""
KILLED = """
from gateway.console.backtest.models import Backtest, BacktestCall
from observability.jobs import jobs
from observability.models import Job
tested = Backtest.objects.latest("pk")
job = Job.objects.get(pk=tested.job_id)
assert job.state == "running", job.state
Job.objects.filter(pk=job.pk).update(heartbeat_at="2026-01-01T00:00Z")
jobs.look_after()
job.refresh_from_db()
print(tested.pk, BacktestCall.objects.filter(backtest=tested).count(), job.state)
"""
MANY = """
from tests.console import backtests, seed
async def many(writer):
    for number in range(300):
        await seed.put_on_record(writer, f"many_{number}", seed.request("Hello"), seed.answer(seed.text("Hello.")))
seed.fill(many)
"""


@pytest.mark.browser
def test_a_backtest_whose_worker_is_killed_is_begun_again_and_comes_to_its_end(site: LiveLuthien) -> None:
    site.manage("shell", "-v", "0", "-c", MANY + ASK)
    assert start_worker(site, "-m", "tests.console.dying").wait(120) == -signal.SIGKILL
    pk, found, state = site.manage("shell", "-v", "0", "-c", KILLED).split()
    assert 0 < int(found) < 300 and state == "queued"
    second = start_worker(site)

    def visit(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        page.goto(f"{site.url}{URL}{pk}/")
        page.wait_for_selector("#progress .badge:has-text('done')", timeout=100_000)
        page.reload()
        assert "300 of 300" in (page.text_content(".facts") or "")
        assert "It did not come to its end" not in page.content()

    try:
        browse(visit)
    finally:
        second.send_signal(signal.SIGTERM)
        second.wait(120)


def start_worker(site: LiveLuthien, *program: str) -> Forked:
    return forked.worker(*program, env=site.env, log=site.data_dir / "worker.log")


def run_a_backtest(page: Page, site: LiveLuthien) -> str:
    """Returns its address, once it is done and on the page."""
    log_in(page, site.url, *ADMIN)
    page.goto(site.url + URL)
    page.select_option("#id_policy_class", "tool_filter")
    page.get_by_label("Deny").fill("Bash")
    page.click("text=Run the backtest")
    page.wait_for_selector("#progress .badge:has-text('done')", timeout=60_000)
    return page.url


@pytest.mark.browser
def test_a_backtest_runs_in_a_worker_and_is_walked_through(worked: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        run_a_backtest(page, worked)
        page.reload()
        page.click("a[href='?against=now&change=newly_blocked#calls']")
        page.click("#calls tbody a >> nth=0")
        assert "this tool is not allowed" in (page.text_content("#answer") or "")
        page.click("a[rel=next]")
        page.click("a[rel=prev]")
        page.click("text=what happened then")
        assert page.text_content("h1") == "One call of the backtest"

    browse(visit)


@pytest.mark.browser
def test_the_pages_of_backtests_have_no_serious_fault_of_access_and_fit_a_phone(worked: LiveLuthien) -> None:
    def visit(page: Page) -> list[str]:
        found = []
        ran = run_a_backtest(page, worked)
        for path in (worked.url + URL, ran, f"{ran}calls/0/"):
            page.goto(path)
            found += faults(page, path)
        return found

    assert browse(visit, bypass_csp=True) == []
