"""The verbs: every change to endpoints, and what people ask to have sent, each an event of the audit."""

from __future__ import annotations

import secrets as random

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gateway import secrets
from gateway.notifications.messages import TEST, trial
from gateway.notifications.models import Delivery, DeliveryState, Endpoint
from gateway.notifications.patience import GIVE_UP_AFTER
from observability import audit

SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with


@transaction.atomic
def create(endpoint: Endpoint, *, actor: str) -> str:
    """Store a new endpoint; returns its secret, which is shown once. Raises ValidationError."""
    secret = _new_secret(endpoint)
    endpoint.full_clean()
    endpoint.save()
    _announce(actor, "endpoint.created", endpoint)
    return secret


@transaction.atomic
def change(endpoint: Endpoint, *, actor: str) -> None:
    """Raises ValidationError."""
    endpoint.full_clean()
    endpoint.save()
    _announce(actor, "endpoint.changed", endpoint)


@transaction.atomic
def rotate_secret(endpoint: Endpoint, *, actor: str) -> str:
    """Give it another secret, which signs from now on; returned and shown once."""
    secret = _new_secret(endpoint)
    endpoint.save(update_fields=["sealed_secret"])
    _announce(actor, "endpoint.secret_rotated", endpoint)
    return secret


@transaction.atomic
def delete(endpoint: Endpoint, *, actor: str) -> None:
    """With its deliveries, those that wait among them."""
    _announce(actor, "endpoint.deleted", endpoint)
    endpoint.delete()


@transaction.atomic
def send_test(endpoint: Endpoint, *, actor: str) -> Delivery:
    """A message that says only that it is a test, with the next round."""
    id, now = f"evt_test_{random.token_hex(12)}", timezone.now()
    body = trial(id, now, f"{settings.LUTHIEN_URL}/notifications/").decode()
    audit.record(actor=actor, action="endpoint.tested", subject=endpoint.name)
    return Delivery.objects.create(
        endpoint=endpoint, event_id=id, event=TEST, body=body, next_at=now, give_up_at=now + GIVE_UP_AFTER
    )


@transaction.atomic
def redeliver(delivery: Delivery, *, actor: str) -> None:
    """Send it again with the next round, and for another day if it is not taken."""
    now = timezone.now()
    Delivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.PENDING, next_at=now, give_up_at=now + GIVE_UP_AFTER
    )
    detail = {"event": delivery.event_id, "call": delivery.call_id}
    audit.record(actor=actor, action="endpoint.redelivered", subject=delivery.endpoint.name, detail=detail)


def _new_secret(endpoint: Endpoint) -> str:
    secret = SECRET_PREFIX + random.token_urlsafe(32)
    endpoint.sealed_secret = secrets.seal(secret)
    return secret


def _announce(actor: str, action: str, endpoint: Endpoint) -> None:
    # The rest of the address may be a secret.
    detail = {"host": endpoint.host, "team": endpoint.team, "events": endpoint.events, "enabled": endpoint.enabled}
    audit.record(actor=actor, action=action, subject=endpoint.name, detail=detail)
