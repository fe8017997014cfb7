"""Deliveries that are due, sent: the endpoints side by side, what one is told in its order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from gateway import fetching, secrets
from gateway.notifications.models import Delivery, DeliveryState, Endpoint
from gateway.notifications.patience import wait
from gateway.notifications.sending import DEADLINE, Message, Outcome, send
from observability.retention.pace import Pace

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Deliveries that an endpoint gets in one round."""
SIDE_BY_SIDE = 16
ROUND_SECONDS = 20.0
"""After which a round begins no further attempt."""
LEASE = timedelta(seconds=2 * (ROUND_SECONDS + DEADLINE))
KEPT = timedelta(days=30)

Sent = list[tuple[Delivery, Outcome]]


def deliver() -> int:
    """One round over all endpoints that are due and that no other worker is busy with; returns attempts made."""
    taken = [endpoint for endpoint in _due() if _take(endpoint)]
    try:
        sent = asyncio.run(_send_all([(endpoint, _next(endpoint)) for endpoint in taken])) if taken else []
        for delivery, outcome in sent:
            _note(delivery, outcome)
    finally:
        Endpoint.objects.filter(pk__in=[endpoint.pk for endpoint in taken]).update(busy_until=None)
    return len(sent)


def forget() -> int:
    """Delete deliveries that are over and older than KEPT, some at a time; returns how many."""
    old = Delivery.objects.filter(created_at__lt=timezone.now() - KEPT).exclude(state=DeliveryState.PENDING)
    pace, gone = Pace(), 0
    while found := list(old.values_list("pk", flat=True)[: pace.limit]):
        with pace.step():
            gone += old.filter(pk__in=found).delete()[0]
    return gone


def _due() -> list[Endpoint]:
    waiting = _pending().filter(endpoint=OuterRef("pk"))
    # In any order, so that endpoints that are down do not stand in the way of the same others again and again.
    return list(_free().filter(Exists(waiting), enabled=True).order_by("?")[:SIDE_BY_SIDE])


def _free() -> QuerySet[Endpoint]:
    return Endpoint.objects.filter(Q(busy_until=None) | Q(busy_until__lt=timezone.now()))


def _take(endpoint: Endpoint) -> bool:
    return bool(_free().filter(pk=endpoint.pk).update(busy_until=timezone.now() + LEASE))


def _pending() -> QuerySet[Delivery]:
    return Delivery.objects.filter(state=DeliveryState.PENDING, next_at__lte=timezone.now())


def _next(endpoint: Endpoint) -> list[Delivery]:
    return list(_pending().filter(endpoint=endpoint).order_by("next_at", "id")[:AT_ONCE])


async def _send_all(rounds: Sequence[tuple[Endpoint, list[Delivery]]]) -> Sent:
    until = time.monotonic() + ROUND_SECONDS
    try:
        done = await asyncio.gather(*(_send_in_order(endpoint, waiting, until) for endpoint, waiting in rounds))
    finally:
        await fetching.stop()
    return [each for sent in done for each in sent]


async def _send_in_order(endpoint: Endpoint, waiting: Sequence[Delivery], until: float) -> Sent:
    """Up to the first that fails: an endpoint that is down costs a round one attempt."""
    sent: Sent = []
    for delivery in waiting:
        if time.monotonic() > until:
            break
        outcome = await _attempt(endpoint, delivery)
        sent.append((delivery, outcome))
        if outcome.error:
            break
    return sent


async def _attempt(endpoint: Endpoint, delivery: Delivery) -> Outcome:
    try:
        secret = endpoint.secret
    except secrets.Unreadable as error:
        return Outcome(None, f"Its secret cannot be read: {error}.")
    return await send(Message(endpoint.url, secret, delivery.event, delivery.event_id, delivery.body.encode()))


def _note(delivery: Delivery, outcome: Outcome) -> None:
    now, attempts = timezone.now(), delivery.attempts + 1
    said = {"attempts": attempts, "last_status": outcome.status, "last_error": outcome.error}
    # Somebody may have asked for it again meanwhile: that attempt is still to come.
    row = Delivery.objects.filter(pk=delivery.pk, next_at=delivery.next_at)
    if not outcome.error:
        row.update(**said, state=DeliveryState.DELIVERED, delivered_at=now)
        return
    again_at = now + wait(attempts)
    gives_up = again_at > delivery.give_up_at
    row.update(**said, next_at=again_at, state=DeliveryState.FAILED if gives_up else DeliveryState.PENDING)
    if gives_up:
        log.error("a notification was given up", endpoint=delivery.endpoint_id, id=delivery.event_id)
