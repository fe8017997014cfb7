"""The retention pages: who may open them, what they say, and what they do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import Group, User
from django.db.models import F
from django.test import Client
from django.utils import timezone

from gateway.notifications.models import Delivery, Endpoint
from luthien_site import roles
from observability import tasks
from observability.models import AuditEvent, CallRecord, Job, LegalHold, RetentionPeriod
from observability.recording.writer import Writer

pytestmark = pytest.mark.django_db(transaction=True)
POSTED = ("periods/", "holds/", "holds/1/release/", "purge/", "erase/?kind=key&name=ci")


@pytest.fixture
def admin(client: Client) -> Client:
    return member(client, "admin")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[Any]]]:
    told: list[tuple[str, list[Any]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **_: told.append((name, args)))
    return told


def member(client: Client, group: str) -> Client:
    roles.make()
    user = User.objects.create_user("grace")
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    return client


def said(client: Client, path: str = "") -> str:
    return client.get(f"/retention/{path}").content.decode()


@pytest.mark.parametrize("group", ["policy author", "reviewer", "team"])
def test_only_admins_come_in(client: Client, group: str) -> None:
    member(client, group)
    assert client.get("/retention/").status_code == 403
    assert {client.post(f"/retention/{path}").status_code for path in POSTED} == {403}


def test_strangers_are_asked_to_log_in(client: Client) -> None:
    assert client.get("/retention/").headers["location"].startswith("/login/")


def test_a_period_is_stored_bounded_and_taken_back(admin: Client) -> None:
    assert admin.post("/retention/periods/", {"kind": "calls", "team": "payments", "days": "365"}).status_code == 302
    assert RetentionPeriod.objects.get().days == 365
    refused = admin.post("/retention/periods/", {"kind": "audit", "days": "30"})
    assert refused.status_code == 422 and "From 365 to 36500 days." in refused.content.decode()
    refused = admin.post("/retention/periods/", {"kind": "audit", "team": "payments", "days": "400"})
    assert "is one for all teams" in refused.content.decode()
    admin.post("/retention/periods/", {"kind": "calls", "team": "payments", "days": ""})
    assert not RetentionPeriod.objects.exists()
    assert [event.detail["days"] for event in AuditEvent.objects.filter(action="retention.changed")] == [None, 365]


def test_a_hold_is_placed_with_a_reason_and_released(admin: Client) -> None:
    assert admin.post("/retention/holds/", {"scope": "team", "name": "payments"}).status_code == 422
    admin.post("/retention/holds/", {"scope": "team", "name": "payments", "reason": "<b>lawsuit</b>"})
    hold = LegalHold.objects.get()
    assert "&lt;b&gt;lawsuit" in said(admin)
    assert "Release the hold on" in said(admin, f"holds/{hold.pk}/release/")
    admin.post(f"/retention/holds/{hold.pk}/release/")
    hold.refresh_from_db()
    assert hold.released_by == "grace"
    assert admin.get(f"/retention/holds/{hold.pk}/release/").status_code == 404


def test_the_next_purge_is_told_and_can_be_asked_for(
    recorded: Writer, admin: Client, sent: list[tuple[str, list[Any]]]
) -> None:
    CallRecord.objects.update(started_at=F("started_at") - timedelta(days=184))
    assert "<strong>5 calls</strong>" in said(admin) and "5 of payments" in said(admin)
    admin.post("/retention/purge/")
    ((task, arguments),) = sent
    assert task == "observability.purge_now" and "asked for by grace: queued" in said(admin)
    tasks.purge_now(*arguments)
    assert CallRecord.objects.count() == 1
    assert Job.objects.get().message == "5 rows deleted, and 0 bodies"
    assert ">Purge<" in said(admin)


def test_an_erasure_says_what_goes_and_what_stays_and_is_done_by_a_worker(
    recorded: Writer, admin: Client, sent: list[tuple[str, list[Any]]]
) -> None:
    endpoint = Endpoint.objects.create(name="here", url="https://example.test/hook")
    told = {"event": "call.blocked", "body": "{}", "give_up_at": timezone.now()}
    for call_id in ("call_1", "call_2"):
        Delivery.objects.create(endpoint=endpoint, event_id=call_id, call_id=call_id, **told)
    admin.post("/retention/holds/", {"scope": "call", "name": "call_2", "reason": "lawsuit"})
    page = said(admin, "erase/?kind=key&name=ci")
    assert "<strong>4 calls</strong>" in page and "1 call under a legal hold" in page
    assert not CallRecord.objects.filter(nonces=b"").exists()
    assert admin.post("/retention/erase/?kind=key&name=ci").status_code == 302
    ((task, arguments),) = sent
    assert task == "observability.erase"
    tasks.erase(*arguments)
    assert CallRecord.objects.filter(nonces=b"").count() == 4
    assert [each.call_id for each in Delivery.objects.all()] == ["call_2"]
    assert "Erasure of key ci" in said(admin)
    assert "was erased on request" in admin.get("/calls/call_1/").content.decode()
    assert "was erased on request" not in admin.get("/calls/call_2/").content.decode()
    assert "Nothing to erase" in said(admin, "erase/?kind=key&name=nobody")
    assert admin.get("/retention/erase/?kind=key").status_code == 422
