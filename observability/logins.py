"""Failed logins: who tries passwords is made to wait. The audit events are the count, so all processes share it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .audit import known_name, record
from .models import AuditEvent

MOST_FAILURES = 10
WITHIN = timedelta(minutes=5)
FAILED, THROTTLED = "user.login_failed", "user.login_throttled"


def is_throttled(name: str, address: str) -> bool:
    """Whether MOST_FAILURES logins as `name` from `address` failed WITHIN; the first refusal is an audit event.

    Names that nobody has count as one.
    """
    subject = known_name(name)
    if _events(FAILED, subject, address) < MOST_FAILURES:
        return False
    if not _events(THROTTLED, subject, address):
        record(actor="", action=THROTTLED, subject=subject, detail={"address": address})
    return True


def _events(action: str, subject: str, address: str) -> int:
    recent = AuditEvent.objects.filter(at__gte=datetime.now(UTC) - WITHIN, action=action, subject=subject)
    return sum(event.detail.get("address") == address for event in recent.only("detail"))
