"""The verbs of review. Each change is an audit event in its transaction, and the search index hears of it."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from observability import audit
from observability.models import CallRecord, Decision
from observability.search import indexing
from observability.text import clean

from .models import BY_CLIENT, WHOLE_CALL, Label, Review

COMMENT_LIMIT = 2_000
MOST_REPORTS = 100
WITHIN = timedelta(minutes=10)
"""How many reports of clients, of all keys, are taken within this time."""


class NoSuchVerdict(LookupError):
    """The call has no verdict at that place."""


@transaction.atomic
def label(call: CallRecord, position: int, label: Label, *, by: str, comment: str | None = None) -> Review:
    """Say that of the call's verdict at `position`, or of WHOLE_CALL; it replaces what was said before.

    Without `comment` the one that is there stays. Raises NoSuchVerdict.
    """
    policy, version = _judged(call, position)
    before = Review.objects.select_for_update().filter(call_id=call.pk, position=position).first()
    said = clean(comment, COMMENT_LIMIT).strip() if comment is not None else before.comment if before else ""
    review = Review(
        call_id=call.pk, position=position, team=call.team, policy=policy, version=version,
        label=label, comment=said, by=by, at=timezone.now(),
    )  # fmt: skip
    if before is None:
        review.save(force_insert=True)
    elif (before.label, before.comment) == (label, said):
        return before
    else:
        review.save(force_update=True)
    # An audit event stays for good, and a comment may quote what has to be erased: it is on record that there is one.
    detail = {"label": label, "before": before.label if before else "", "comment": bool(said)}
    audit.record(actor=by, action="review.labelled", subject=call.pk, detail=detail | _place(review))
    indexing.relabel(call.pk)
    return review


@transaction.atomic
def withdraw(call: CallRecord, position: int, *, by: str) -> None:
    """Take back what was said, whoever said it; nothing happens where nothing was. A client's report stays."""
    before = Review.objects.filter(call_id=call.pk, position=position).exclude(position=BY_CLIENT).first()
    if before is None:
        return
    Review.objects.filter(call_id=call.pk, position=position).delete()
    detail = {"before": before.label} | _place(before)
    audit.record(actor=by, action="review.withdrawn", subject=call.pk, detail=detail)
    indexing.relabel(call.pk)


@transaction.atomic
def report(call: CallRecord) -> bool:
    """A client says that what it was told of the call was wrong; False where too many do. Once a call is enough."""
    # The lock of the audit chain makes of two clicks one after the other.
    audit.lock()
    reports = Review.objects.filter(position=BY_CLIENT)
    if reports.filter(call_id=call.pk).exists():
        return True
    now = timezone.now()
    if reports.filter(at__gte=now - WITHIN).count() >= MOST_REPORTS:
        return False
    Review.objects.create(call_id=call.pk, position=BY_CLIENT, team=call.team, label=Label.REPORTED, at=now)
    audit.record(actor="", action="review.reported", subject=call.pk)
    indexing.relabel(call.pk)
    return True


def _judged(call: CallRecord, position: int) -> tuple[str, int]:
    if position == WHOLE_CALL:
        return "", 0
    found = Decision.objects.filter(call_id=call.pk, position=position).values_list("policy", "version").first()
    if found is None:
        raise NoSuchVerdict
    return found


def _place(review: Review) -> dict[str, object]:
    if review.position == WHOLE_CALL:
        return {}
    return {"verdict": review.position, "policy": f"{review.policy}@{review.version}"}
