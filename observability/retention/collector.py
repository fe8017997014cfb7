"""Deleting blobs that nothing needs any more, in transactions so small that no call waits for one.

What may go is looked for without a lock, page by page, and asked again by the transaction that deletes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

import structlog
import zstandard
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from observability.bodies.decompression import decompress
from observability.bodies.recipes import PayloadDamaged, targets
from observability.models import Blob, BlobReference

from .pace import Pace

log = structlog.get_logger(__name__)

UNTOUCHED = timedelta(hours=24)
PAGE = 1000
"""How many blobs are looked at with one query."""


def collect(now: datetime | None = None, pace: Pace | None = None) -> Iterator[int]:
    """Deletes what is unreferenced and untouched, and yields how many blobs went, transaction by transaction.

    What a deleted recipe alone referred to goes too. A page on which nothing is to go yields 0. No transaction deletes
    more rows, references counted, than `pace` allows, unless one recipe has more.
    """
    cutoff, pace = (now or timezone.now()) - UNTOUCHED, pace or Pace()
    for page in _pages(cutoff):
        waiting = dict.fromkeys(page)
        while waiting:
            with pace.step():
                step = _delete(list(islice(waiting, pace.limit)), pace.limit, cutoff)
            for digest in step.looked_at:
                del waiting[digest]
            waiting.update(dict.fromkeys(step.freed))
            yield step.gone
        if not page:
            yield 0


def _pages(cutoff: datetime) -> Iterator[list[bytes]]:
    """Once through all old blobs, by age; of each page those that nothing refers to."""
    rest = _old(cutoff).annotate(needed=Exists(_references())).order_by("touched_at", "pk")
    rows = rest.values_list("pk", "touched_at", "needed")
    page = list(rows[:PAGE])
    while page:
        yield [bytes(digest) for digest, _, needed in page if not needed]
        digest, at, _ = page[-1]
        behind = Q(touched_at__gt=at) | Q(touched_at=at, pk__gt=digest)
        page = list(rows.filter(behind, touched_at__gte=at)[:PAGE])


class _Step(NamedTuple):
    """One transaction: which blobs it looked at, how many of them went, and what these needed."""

    looked_at: list[bytes]
    gone: int
    freed: set[bytes]


@transaction.atomic
def _delete(digests: list[bytes], limit: int, cutoff: datetime) -> _Step:
    """Delete those of `digests` that may go, from the first one on, until `limit` rows have gone."""
    made_of, damaged = _made_of(digests)
    looked_at = list(_within(limit, digests, made_of))
    _unneeded([digest for digest in looked_at if digest not in damaged], cutoff).delete()
    # A writer may have touched one since it was looked for, and counts on all that it is made of.
    gone = set(looked_at) - {bytes(pk) for pk in Blob.objects.filter(pk__in=looked_at).values_list("pk", flat=True)}
    freed: set[bytes] = set()
    for digest in gone & made_of.keys():
        BlobReference.objects.filter(target__in=made_of[digest], source=digest)._raw_delete("default")
        freed |= made_of[digest]
    return _Step(looked_at, len(gone), freed)


def _made_of(digests: list[bytes]) -> tuple[dict[bytes, set[bytes]], set[bytes]]:
    """What the recipes among `digests` need, and which of them cannot be read: those stay, or what they need would."""
    made_of: dict[bytes, set[bytes]] = {}
    damaged: set[bytes] = set()
    for blob in Blob.objects.filter(pk__in=digests, recipe=True).only("data"):
        digest = bytes(blob.pk)
        try:
            made_of[digest] = targets(decompress(bytes(blob.data)))
        except (zstandard.ZstdError, PayloadDamaged):
            log.error(
                "a stored body is damaged, so it is not collected; verify_audit --bodies names all", digest=digest.hex()
            )
            damaged.add(digest)
    return made_of, damaged


def _within(limit: int, digests: Iterable[bytes], made_of: dict[bytes, set[bytes]]) -> Iterator[bytes]:
    """As many of `digests`, at least one, as are `limit` rows together with their references."""
    rows = 0
    for digest in digests:
        size = 1 + len(made_of.get(digest, ()))
        if rows and rows + size > limit:
            return
        rows += size
        yield digest


def _unneeded(digests: list[bytes], cutoff: datetime) -> QuerySet[Blob]:
    return _old(cutoff).filter(~Exists(_references()), pk__in=digests)


def _old(cutoff: datetime) -> QuerySet[Blob]:
    return Blob.objects.filter(touched_at__lt=cutoff)


def _references() -> QuerySet[BlobReference]:
    return BlobReference.objects.filter(target=OuterRef("digest"))
