from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from gateway.notifications import services
from gateway.notifications.models import Delivery, Endpoint
from observability.models import AuditEvent
from tests.gateway.notifications.conftest import told

pytestmark = pytest.mark.django_db
URL = "https://siem.example/hook?token=hidden"


def test_a_secret_is_stored_encrypted_and_returned_once() -> None:
    secret = services.create(Endpoint(name="siem", url=URL, events=["blocked"]), actor="ada")
    row = Endpoint.objects.get()
    assert row.secret == secret
    assert secret.encode() not in bytes(row.sealed_secret)
    again = services.rotate_secret(row, actor="ada")
    assert Endpoint.objects.get().secret == again != secret


def test_every_change_is_an_audit_event_without_secrets() -> None:
    endpoint = told(URL)
    services.change(endpoint, actor="ada")
    services.rotate_secret(endpoint, actor="ada")
    services.redeliver(services.send_test(endpoint, actor="ada"), actor="ada")
    services.delete(endpoint, actor="ada")
    events = AuditEvent.objects.order_by("sequence")
    actions = ["created", "changed", "secret_rotated", "tested", "redelivered", "deleted"]
    assert [(event.actor, event.action, event.subject) for event in events] == [
        ("ada", f"endpoint.{action}", "siem") for action in actions
    ]
    assert events[0].detail["host"] == "siem.example"
    assert not any("hidden" in str(event.detail) or "whsec" in str(event.detail) for event in events)
    assert not Delivery.objects.exists()


def test_two_endpoints_cannot_have_one_name() -> None:
    told(URL)
    with pytest.raises(ValidationError):
        told(URL)
