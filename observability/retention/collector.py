"""Deleting blobs that nothing needs any more, in transactions so small that no call waits for one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import zstandard
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from observability.bodies.recipes import targets
from observability.models import Blob, BlobReference

UNTOUCHED = timedelta(hours=24)
AT_ONCE = 200


def collect(now: datetime | None = None) -> Iterator[int]:
    """Deletes what is unreferenced and untouched, and yields how many blobs went, transaction by transaction.

    What a deleted recipe alone referred to goes too.
    """
    cutoff = (now or timezone.now()) - UNTOUCHED
    while True:
        with transaction.atomic():
            deleted = _collect_some(cutoff)
        if not deleted:
            return
        yield deleted


def _collect_some(cutoff: datetime) -> int:
    candidates = {bytes(digest) for digest in _unneeded(cutoff).values_list("pk", flat=True)[:AT_ONCE]}
    recipes = {
        bytes(blob.pk): bytes(blob.data) for blob in Blob.objects.filter(pk__in=candidates, recipe=True).only("data")
    }
    # Asked again by the statement that deletes: a writer may have touched one since.
    _unneeded(cutoff).filter(pk__in=candidates).delete()
    gone = candidates - {
        bytes(digest) for digest in Blob.objects.filter(pk__in=candidates).values_list("pk", flat=True)
    }
    for digest in gone & recipes.keys():
        needed = targets(zstandard.ZstdDecompressor().decompress(recipes[digest]))
        BlobReference.objects.filter(target__in=needed, source=digest).delete()
    return len(gone)


def _unneeded(cutoff: datetime) -> QuerySet[Blob]:
    needed = BlobReference.objects.filter(target=OuterRef("digest"))
    return Blob.objects.filter(~Exists(needed), touched_at__lt=cutoff)
