"""Deliveries to a real receiver: signed, in order, tried again, given up."""

from __future__ import annotations

import hmac
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from gateway.notifications import delivering, sending, services
from gateway.notifications.models import Delivery, Endpoint
from tests.gateway.notifications.conftest import told
from tests.gateway.notifications.receiver import Receiver
from tests.plugins.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def queue(endpoint: Endpoint, *ids: str) -> None:
    for id in ids:
        give_up_at = timezone.now() + timedelta(days=1)
        Delivery.objects.create(
            endpoint=endpoint, event_id=id, event="blocked", body=f'{{"id":"{id}"}}', give_up_at=give_up_at
        )


def state(id: str) -> tuple[str, int, int | None, str]:
    row = Delivery.objects.get(event_id=id)
    return row.state, row.attempts, row.last_status, row.last_error


def test_a_delivery_is_a_signed_post(receiver: Receiver) -> None:
    endpoint = told(f"{receiver.url}?from=luthien")
    queue(endpoint, "evt_1")
    assert delivering.deliver() == 1
    ((headers, body),) = receiver.heard
    assert (receiver.paths, body) == (["/hook?from=luthien"], b'{"id":"evt_1"}')
    assert (headers["content-type"], headers["x-luthien-event"]) == ("application/json", "blocked")
    assert headers["x-luthien-event-id"] == "evt_1"
    when = headers["x-luthien-timestamp"]
    assert abs(time.time() - int(when)) < 60
    signed = hmac.digest(endpoint.secret.encode(), f"{when}.".encode() + body, "sha256").hex()
    assert headers["x-luthien-signature"] == f"v1={signed}"
    assert state("evt_1") == ("delivered", 1, 204, "")
    assert delivering.deliver() == 0


def test_what_was_not_taken_is_tried_again_later_and_the_rest_after_it(receiver: Receiver) -> None:
    queue(told(receiver.url), "evt_1", "evt_2")
    receiver.answers = [500]
    assert delivering.deliver() == 1
    assert state("evt_1") == ("pending", 1, 500, "127.0.0.1 answered with status 500.")
    assert Delivery.objects.get(event_id="evt_1").next_at > timezone.now() + timedelta(seconds=5)
    delivering.deliver()
    assert receiver.ids == ["evt_1", "evt_2"]
    Delivery.objects.filter(event_id="evt_1").update(next_at=timezone.now())
    delivering.deliver()
    assert receiver.ids == ["evt_1", "evt_2", "evt_1"]
    assert state("evt_1") == ("delivered", 2, 204, "")


def test_after_a_day_it_is_given_up_and_can_be_asked_for_again(receiver: Receiver) -> None:
    queue(told(receiver.url), "evt_1")
    Delivery.objects.update(give_up_at=timezone.now())
    receiver.answers = [503]
    delivering.deliver()
    assert state("evt_1")[:3] == ("failed", 1, 503)
    assert delivering.deliver() == 0
    services.redeliver(Delivery.objects.get(), actor="ada")
    delivering.deliver()
    assert state("evt_1") == ("delivered", 2, 204, "")


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    queue(told(receiver.url), "evt_1")
    receiver.answers, receiver.headers = [302], {"location": "/elsewhere"}
    delivering.deliver()
    assert receiver.paths == ["/hook"]
    assert state("evt_1") == ("pending", 1, None, "127.0.0.1 answered with a redirect: check its URL.")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "2130706433", "[::ffff:127.0.0.1]"])
def test_a_private_address_is_not_connected_to(receiver: Receiver, settings: Settings, name: str) -> None:
    settings.LUTHIEN_PRIVATE_HOSTS = []
    queue(told(receiver.url.replace("127.0.0.1", name)), "evt_1")
    delivering.deliver()
    assert receiver.heard == []
    assert state("evt_1")[:2] == ("pending", 1)
    assert "private address" in state("evt_1")[3]


def test_an_endpoint_that_is_down_does_not_hold_up_the_others(receiver: Receiver) -> None:
    queue(told(f"http://127.0.0.1:{free_port()}/", name="down"), "evt_1", "evt_2")
    queue(told(receiver.url), "evt_3", "evt_4")
    delivering.deliver()
    assert receiver.ids == ["evt_3", "evt_4"]
    assert state("evt_1") == ("pending", 1, None, "127.0.0.1 could not be reached.")
    assert state("evt_2") == ("pending", 0, None, "")


def test_one_that_does_not_answer_is_left(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "DEADLINE", 0.0)
    queue(told(receiver.url), "evt_1")
    delivering.deliver()
    assert state("evt_1") == ("pending", 1, None, "127.0.0.1 did not answer within 0 s.")


def test_two_workers_tell_it_once(receiver: Receiver) -> None:
    endpoint = told(receiver.url)
    queue(endpoint, "evt_1")
    Endpoint.objects.update(busy_until=timezone.now() + timedelta(seconds=30))
    assert delivering.deliver() == 0
    # The other worker was killed.
    Endpoint.objects.update(busy_until=timezone.now())
    assert delivering.deliver() == 1
    assert Endpoint.objects.get().busy_until is None


def test_an_endpoint_that_is_not_in_use_is_told_nothing(receiver: Receiver) -> None:
    endpoint = told(receiver.url)
    queue(endpoint, "evt_1")
    endpoint.enabled = False
    services.change(endpoint, actor="ada")
    assert delivering.deliver() == 0


def test_a_secret_of_another_key_is_said_so(receiver: Receiver, settings: Settings) -> None:
    queue(told(receiver.url), "evt_1")
    settings.SECRET_KEY = "another"
    delivering.deliver()
    assert receiver.heard == []
    assert "LUTHIEN_SECRET_KEY" in state("evt_1")[3]


def test_what_was_asked_for_again_during_an_attempt_is_sent_again(receiver: Receiver) -> None:
    queue(told(receiver.url), "evt_1")
    before = Delivery.objects.get()
    services.redeliver(Delivery.objects.get(), actor="ada")
    delivering._note(before, sending.Outcome(204))
    assert state("evt_1")[:2] == ("pending", 0)


def test_old_deliveries_are_forgotten_but_those_that_wait() -> None:
    endpoint = told("https://siem.example/")
    queue(endpoint, "evt_new", "evt_old", "evt_waits")
    Delivery.objects.exclude(event_id="evt_new").update(created_at=timezone.now() - timedelta(days=31))
    Delivery.objects.exclude(event_id="evt_waits").update(state="delivered")
    assert delivering.forget() == 1
    assert set(Delivery.objects.values_list("event_id", flat=True)) == {"evt_new", "evt_waits"}
