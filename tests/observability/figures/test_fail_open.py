from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from django.test import Client
from django.utils import timezone

from observability.figures import fail_open, seldom
from observability.figures.fail_open import FailOpen, Recent, Row
from observability.models import CallRecord, Decision
from tests.people import browser_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BANNER = "Calls passed unjudged"


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fail_open, "_recent", Recent())
    yield


def failed_open(id: str, *, team: str = "payments", hours: float = 1, **decision: object) -> datetime:
    """Puts a call on record that a policy should have judged `hours` ago; returns when."""
    at = timezone.now() - timedelta(hours=hours)
    CallRecord.objects.create(
        id=id, key="ci", team=team, session="s", model="m", dialect="d", path="/",
        streamed=False, snapshot=1, started_at=at,
    )  # fmt: skip
    for position, hook in enumerate(("on_text", "on_tool_call")):
        values = {"policy": "judge", "mode": "enforce", "action": "failed_open", "version": 1, "at_ms": 0, "took_ms": 0}
        Decision.objects.create(call_id=id, position=position, hook=hook, block=hook, **(values | decision))
    return at


@pytest.mark.django_db
def test_a_call_counts_once_and_the_newest_policy_comes_first() -> None:
    failed_open("a", hours=3)
    last = failed_open("b", hours=2)
    other = failed_open("c", policy="other")
    assert fail_open.recent(None) == [FailOpen("other", 1, other), FailOpen("judge", 2, last)]


@pytest.mark.django_db
@pytest.mark.parametrize("harmless", [{"hours": 25}, {"mode": "shadow"}, {"action": "failed_closed"}])
def test_what_is_old_and_what_let_nothing_pass_is_not_told(harmless: dict[str, object]) -> None:
    failed_open("a", **harmless)  # type: ignore[arg-type]
    assert fail_open.recent(None) == []


@pytest.mark.django_db
def test_a_reader_is_told_of_the_calls_of_its_teams() -> None:
    newest = failed_open("a", team="a", hours=1)
    failed_open("b", team="b", hours=2)
    assert fail_open.recent(["b", "a"]) == [FailOpen("judge", 2, newest)]
    assert fail_open.recent(["a"]) == [FailOpen("judge", 1, newest)]
    assert fail_open.recent([]) == []


class Slow:
    """A database that takes `seconds` by its own clock, and counts how often it was asked."""

    def __init__(self, seconds: float) -> None:
        self.now, self.seconds, self.asked = 100.0, seconds, 0

    def look(self) -> Sequence[Row]:
        self.asked += 1
        self.now += self.seconds
        return [("judge", "a", self.asked, NOON)]


def test_looking_takes_a_small_share_of_the_time() -> None:
    slow = Slow(seconds=2)
    recent = Recent(slow.look, lambda: slow.now)
    for _ in range(2):
        assert recent.of(None) == [FailOpen("judge", 1, NOON)]
    slow.now += 2 / seldom.SHARE
    assert recent.of(None) == [FailOpen("judge", 2, NOON)]


def test_a_second_page_does_not_wait_while_the_first_one_looks() -> None:
    looking, go_on = Event(), Event()

    def look() -> list[Row]:
        looking.set()
        assert go_on.wait(10)
        return []

    recent = Recent(look)
    first = Thread(target=recent.of, args=(None,))
    first.start()
    assert looking.wait(10)
    assert recent.of(None) == []
    go_on.set()
    first.join()


def test_a_look_that_failed_is_tried_again() -> None:
    answers: list[Sequence[Row] | Exception] = [ValueError(), [("judge", "", 1, NOON)]]

    def look() -> Sequence[Row]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    recent = Recent(look)
    with pytest.raises(ValueError):
        recent.of(None)
    assert recent.of(None) == [FailOpen("judge", 1, NOON)]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/calls/", "/admin/", "/admin/policies/policy/", "/nothing-here"])
def test_every_page_tells_of_it_and_leads_to_the_calls(admin_client: Client, path: str) -> None:
    assert BANNER not in admin_client.get(path).content.decode()
    failed_open("a", policy="<judge>")
    failed_open("b", policy="other")
    fail_open._recent = Recent()
    html = admin_client.get(path).content.decode()
    assert html.count(BANNER) == 1
    assert "&lt;judge&gt;" in html
    listed = admin_client.get("/calls/?policy=%3Cjudge%3E&action=failed_open")
    assert "/calls/?policy=%3Cjudge%3E&amp;action=failed_open" in html
    assert [call.pk for call in listed.context["calls"]] == ["a"]


@pytest.mark.django_db
def test_who_minds_policies_is_told_and_strangers_are_not(client: Client) -> None:
    failed_open("a")
    assert BANNER in browser_of("operator", "view_policy", staff=True).get("/").content.decode()
    assert BANNER in browser_of("reviewer", "view_callrecord").get("/").content.decode()
    assert BANNER not in browser_of("outsider").get("/").content.decode()
    assert BANNER not in client.get("/login/").content.decode()
