"""From decisions on record to deliveries.

A decision comes with a row of the outbox, in one transaction. The row goes in the transaction that makes the
deliveries. So each decision is looked at, once or more, and an endpoint has one delivery of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gateway.notifications.messages import About, body, event_id, event_of
from gateway.notifications.models import Delivery, Endpoint
from gateway.notifications.patience import GIVE_UP_AFTER
from observability.models import Decision, OutboxEntry

AT_ONCE = 200


def empty() -> int:
    """Look at all that stands in the outbox; returns how many deliveries that makes."""
    made = 0
    while entries := list(OutboxEntry.objects.order_by("call_id", "position")[:AT_ONCE]):
        endpoints = list(Endpoint.objects.filter(enabled=True))
        with transaction.atomic():
            deliveries = list(_deliveries(entries, endpoints)) if endpoints else []
            # An entry that came twice made its deliveries the first time.
            Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
            OutboxEntry.objects.filter(pk__in=[entry.pk for entry in entries]).delete()
        made += len(deliveries)
    return made


def _deliveries(entries: Iterable[OutboxEntry], endpoints: Sequence[Endpoint]) -> Iterator[Delivery]:
    decided = Decision.objects.filter(pk__in=[entry.pk for entry in entries]).select_related("call")
    now = timezone.now()
    for decision in decided.order_by("call__started_at", "call_id", "position"):
        event = event_of(decision.mode, decision.hook, decision.action)
        about = _about(decision)
        id, link = event_id(about.call, about.position), f"{settings.LUTHIEN_URL}/calls/{about.call}/"
        for endpoint in endpoints:
            if event in endpoint.events and endpoint.team in ("", about.team):
                yield Delivery(
                    endpoint=endpoint,
                    event_id=id,
                    event=event,
                    call_id=about.call,
                    body=body(id, event, about, link).decode(),
                    created_at=now,
                    next_at=now,
                    give_up_at=now + GIVE_UP_AFTER,
                )


def _about(decision: Decision) -> About:
    call = decision.call
    return About(
        call=call.id,
        position=decision.position,
        key=call.key,
        team=call.team,
        session=call.session,
        model=call.model,
        policy=decision.policy,
        version=decision.version,
        mode=decision.mode,
        hook=decision.hook,
        target=decision.block,
        action=decision.action,
        reason=decision.reason,
        late=decision.late,
        at=call.started_at + timedelta(milliseconds=decision.at_ms),
    )
