"""What was said of calls goes with them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef

from observability.models import CallRecord
from observability.retention.signals import contents_gone

from .models import Review


def listen() -> None:
    """From now on a purged call takes its labels along, and an erased one the comments, which may quote it."""
    contents_gone.connect(_contents_gone, dispatch_uid="reviews")


def _contents_gone(sender: object, call_ids: Sequence[str], **_: object) -> None:
    reviews = Review.objects.filter(call_id__in=call_ids)
    reviews.exclude(comment="").update(comment="")
    reviews.filter(~Exists(CallRecord.objects.filter(pk=OuterRef("call_id")))).delete()
