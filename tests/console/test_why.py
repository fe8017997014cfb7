"""The page that a notice links to, for whoever has the link."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from gateway import why
from observability.models import CallRecord, Decision, Review
from observability.reviews import labelling
from policies import services
from tests.observability.reviews.conftest import put

pytestmark = pytest.mark.django_db


def path(call: CallRecord) -> str:
    return "/why/" + why.link(call.pk).partition("/why/")[2]


def page(client: Client, call: CallRecord) -> str:
    answer = client.get(path(call))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return answer.content.decode()


@pytest.fixture
def call() -> CallRecord:
    services.create_version(
        services.create_policy("no-deletes", actor="ada"), "block_dangerous_commands", {}, actor="ada"
    )
    made = put(
        1, "no-deletes block", "no-deletes block", "quiet block", "tidy replace", "broken failed_closed", key="the-key"
    )
    Decision.objects.filter(policy="no-deletes").update(version=1, hook="on_tool_call")
    Decision.objects.filter(policy="quiet").update(mode="shadow")
    return made


def test_it_says_what_the_notice_said_and_what_the_policy_is_for(client: Client, call: CallRecord) -> None:
    html = page(client, call)
    assert "This policy blocked a tool call: " in html and html.count("no-deletes said so") == 1
    assert "commands" in html and call.pk in html
    assert "This policy could not judge a part of the answer" in html
    for hidden in ("quiet", "tidy", "broken said so", "The whole call", call.key):
        assert hidden not in html


def test_who_may_see_the_call_is_led_to_it(client: Client, call: CallRecord) -> None:
    user = User.objects.create_user("rita")
    user.user_permissions.add(Permission.objects.get(codename="view_callrecord"))
    client.force_login(user)
    assert f'href="/calls/{call.pk}/"' in page(client, call)


def test_what_is_not_proven_is_not_looked_up(
    client: Client, call: CallRecord, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        guessed = client.get(f"/why/{call.pk}/AAAAAAAAAAAAAAAA/")
    nowhere = client.get("/why/call_nowhere/AAAAAAAAAAAAAAAA/")
    assert (guessed.status_code, guessed.content) == (404, nowhere.content)
    assert client.get("/why/" + why.link("call_gone").partition("/why/")[2]).status_code == 404


def test_a_login_can_be_asked_for(client: Client, call: CallRecord, settings: Settings) -> None:
    settings.LUTHIEN_WHY = "login"
    for answer in (client.get(path(call)), client.post(f"{path(call)}wrong/")):
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/login/")
    client.force_login(User.objects.create_user("nobody-special"))
    assert "no-deletes" in page(client, call)
    assert client.get(f"/why/{call.pk}/AAAAAAAAAAAAAAAA/").status_code == 404


def test_that_it_was_wrong_is_said_once_and_not_by_a_script_elsewhere(call: CallRecord) -> None:
    client = Client(enforce_csrf_checks=True)
    said: Any = client.get(path(call)).context["csrf_token"]
    assert client.post(f"{path(call)}wrong/").status_code == 403
    for _ in range(2):
        answer = client.post(f"{path(call)}wrong/", {"csrfmiddlewaretoken": str(said)})
        assert answer["Location"] == path(call)
    assert [review.label for review in Review.objects.all()] == ["reported"]
    assert "A reviewer will see it" in page(client, call) and "This was wrong</button>" not in page(client, call)


def test_too_many_reports_are_turned_away_with_a_word(
    client: Client, call: CallRecord, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(labelling, "MOST_REPORTS", 0)
    settings.LUTHIEN_CONTACT = "ask@example.com"
    answer = client.post(f"{path(call)}wrong/")
    assert answer.status_code == 429 and "Too many reports" in answer.content.decode()
    assert "mailto:ask@example.com" in answer.content.decode()


def test_a_call_in_which_nothing_was_blocked_says_so(client: Client) -> None:
    assert "Nothing is on record that was blocked" in page(client, put(1, "tidy replace"))
