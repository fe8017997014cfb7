"""Notifications about calls whose contents are gone: their reasons may quote them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.notifications.models import Delivery


def forget(sender: object, call_ids: Sequence[str], **kwargs: object) -> None:
    """Receives `contents_gone`. What was not delivered yet is not delivered any more."""
    Delivery.objects.filter(call_id__in=call_ids).delete()
