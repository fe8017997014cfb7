"""What was said of calls goes with them."""

from __future__ import annotations

from collections.abc import Sequence

from observability.retention.signals import contents_gone

from .models import Review


def listen() -> None:
    """From now on a purged call takes its labels along, and an erased one the comments, which may quote it."""
    contents_gone.connect(_contents_gone, dispatch_uid="reviews")


def _contents_gone(sender: object, call_ids: Sequence[str], whole: bool, **_: object) -> None:
    reviews = Review.objects.filter(call_id__in=call_ids)
    if whole:
        reviews._raw_delete("default")
    else:
        reviews.exclude(comment="").update(comment="")
