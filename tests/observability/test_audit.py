from __future__ import annotations

import threading

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from observability import audit
from observability.models import AuditEvent
from observability.rows import chain
from observability.rows.chain import Chain
from policies.signals import changed


def verify() -> int:
    again = Chain(audit.CHAIN)
    events = list(AuditEvent.objects.order_by("sequence"))
    for event in events:
        link = again.extend(chain.audit_leaf({name: getattr(event, name) for name in chain.AUDIT_FIELDS}))
        assert (link.sequence, link.leaf, link.chain) == (
            event.sequence,
            bytes(event.leaf or b""),
            bytes(event.chain or b""),
        )
    return len(events)


@pytest.mark.django_db
def test_a_change_becomes_an_event_with_a_leaf() -> None:
    changed.send("sender", actor="ada", action="policy.activated", subject="no-shell", detail={"version": 3})
    changed.send("sender", actor="ada", action="policy.rolled_back", subject="no-shell", detail={})
    event = AuditEvent.objects.get(action="policy.activated")
    assert (event.actor, event.subject, event.detail, event.sequence) == ("ada", "no-shell", {"version": 3}, 1)
    assert verify() == 2


@pytest.mark.django_db(transaction=True)
def test_an_event_goes_when_its_change_is_undone() -> None:
    audit.record(actor="ada", action="first")
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record(actor="ada", action="undone")
        raise RuntimeError
    audit.record(actor="ada", action="second")
    assert [event.action for event in AuditEvent.objects.order_by("sequence")] == ["first", "second"]
    assert verify() == 2


@pytest.mark.django_db(transaction=True)
def test_events_of_many_at_once_stand_in_one_order() -> None:
    def write() -> None:
        for _ in range(5):
            audit.record(actor="ada", action="key.created")
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify() == 20


@pytest.mark.django_db
def test_an_edited_event_is_found() -> None:
    audit.record(actor="ada", action="key.created", subject="ci")
    AuditEvent.objects.update(actor="somebody else")
    with pytest.raises(AssertionError):
        verify()


@pytest.mark.django_db
def test_logins_are_events_and_a_password_in_the_wrong_field_is_not_kept(client: Client) -> None:
    User.objects.create_user("ada", password="right")
    AuditEvent.objects.all().delete()
    assert client.login(username="ada", password="right")
    client.logout()
    client.login(username="ada", password="wrong")
    client.login(username="my password", password="")
    events = [(event.action, event.subject) for event in AuditEvent.objects.order_by("sequence")]
    assert events == [
        ("user.logged_in", "ada"),
        ("user.logged_out", "ada"),
        ("user.login_failed", "ada"),
        ("user.login_failed", ""),
    ]
