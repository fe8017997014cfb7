"""The home page, as it is with calls and without."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from gateway.console import home
from observability.figures import overview, policy_figures, seldom
from observability.figures.overview import Counts
from observability.figures.seldom import Seldom
from observability.models import CallRecord
from tests.observability.reviews.conftest import put
from tests.people import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (overview, policy_figures):
        monkeypatch.setattr(module, "_recent", Seldom(module._look))
    monkeypatch.setattr(seldom, "SHARE", 1e-6)


@pytest.fixture
def reader(db: None) -> Client:
    return browser_of("rita", "view_callrecord", "view_policy")


def today(number: int, *verdicts: str, **fields: object) -> CallRecord:
    call = put(number, *verdicts, **fields)
    CallRecord.objects.filter(pk=call.pk).update(started_at=timezone.now() - timedelta(minutes=number))
    return call


def test_before_the_first_call_it_says_how_to_make_one(reader: Client) -> None:
    html = reader.get("/").content.decode()
    assert html.index("Connect a client") < html.index("No calls yet")
    assert "Calls an hour" not in html


def test_a_day_at_a_glance(reader: Client) -> None:
    today(1, "no-deletes block", team="payments", cost_microdollars=2_000_000, total_ms=1500.0)
    today(2, "tidy replace", team="", cost_microdollars=500_000, total_ms=500.0)
    html = reader.get("/").content.decode()
    for words in ("$2.50", "500 ms", "1.50 s", "no-deletes", "1 blocked", "1 changed", "no team", "1 call</a>"):
        assert words in html, words
    assert 'href="/calls/?q=team%3Apayments+after%3A1d"' in html
    assert html.index("Calls an hour") < html.index("Connect a client")


def test_members_of_a_team_see_its_day_alone(reader: Client) -> None:
    today(1, "no-deletes block", team="payments")
    today(2, "spyglass block", team="research")
    User.objects.get().groups.add(Group.objects.create(name="team:payments"))
    html = reader.get("/").content.decode()
    assert "no-deletes" in html and "spyglass" not in html and "research" not in html


def test_everything_reviewed_is_told_and_the_queries_are_few(
    reader: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    today(1, "a allow")
    reader.get("/")
    with django_assert_max_num_queries(16):
        assert "All reviewed" in reader.get("/").content.decode()


def test_the_dearest_has_the_longest_bar() -> None:
    shares = home.shares("team", [("a", Counts(cost=400)), ("b c", Counts(cost=100)), ("", Counts())])
    assert [share.width for share in shares] == [1000, 250, 0]
    assert 'team:"b c"' in shares[1].url.replace("%3A", ":").replace("%22", '"').replace("+", " ")
    assert "team" not in shares[2].url
    assert home.shares("team", [("a", Counts())])[0].width == 0
