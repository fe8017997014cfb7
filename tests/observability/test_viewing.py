from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client

from observability import viewing
from observability.models import AuditEvent
from observability.viewing import AGAIN_SECONDS, Views
from tests.console import seed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def views(monkeypatch: pytest.MonkeyPatch) -> Views:
    """Nothing was opened yet, and the clock stands still."""
    fresh = Views(clock=lambda: 0.0)
    monkeypatch.setattr(viewing, "_views", fresh)
    return fresh


def noted() -> list[tuple[str, str, str]]:
    found = AuditEvent.objects.filter(action="call.viewed").order_by("sequence")
    return [(event.actor, event.subject, event.detail["shown"]) for event in found]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/calls/{}/", "page"),
        ("/calls/{}/diff/", "diff"),
        ("/calls/{}/body/response_original/", "response_original"),
        ("/calls/{}/body/request_final/preview/", "request_final"),
        ("/debug/calls/{}", "API"),
        ("/debug/calls/{}/diff", "API, diff"),
    ],
)
def test_whoever_opens_a_call_is_on_record_once(path: str, shown: str) -> None:
    seed.fill(seed.ordinary)
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    for _ in range(2):
        assert client.get(path.format(seed.BLOCKED)).status_code == 200
    assert noted() == [("ada", seed.BLOCKED, shown)]


@pytest.mark.parametrize("path", ["/calls/", "/debug/calls", "/calls/nowhere/", "/calls/{}/body/everything/"])
def test_what_shows_no_body_is_no_event(path: str) -> None:
    seed.fill(seed.ordinary)
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    client.get(path.format(seed.BLOCKED))
    assert noted() == []


def test_who_opens_it_again_later_is_on_record_again() -> None:
    times = iter([0.0, AGAIN_SECONDS - 1, AGAIN_SECONDS])
    views = Views(clock=lambda: next(times))
    for _ in range(3):
        views.note("ada", "call_1", "page")
    assert len(noted()) == 2


def test_what_was_forgotten_is_told_again(views: Views, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "REMEMBERED", 1)
    for call in ("call_1", "call_2", "call_1"):
        views.note("ada", call, "page")
    assert [subject for _, subject, _ in noted()] == ["call_1", "call_2", "call_1"]


def test_who_cannot_be_put_on_record_is_shown_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seed.fill(seed.ordinary)
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))

    def away(**event: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(viewing, "record", away)
    with pytest.raises(DatabaseError):
        client.get(f"/calls/{seed.BLOCKED}/")
