"""Bodies that calls gave up: what nobody else needs is deleted, and what others are made of them is made anew.

A body that another record needs stays; so does a message that another body has too. But where another body is only
made of slices of one that goes, it gets the slices' own pieces instead, and what it did not use goes as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import zstandard
from django.db.models import Exists, OuterRef, QuerySet

from observability.bodies import recipes
from observability.bodies.decompression import decompress
from observability.bodies.recipes import Slice
from observability.models import Blob, BlobReference

from .collector import UNTOUCHED

_compress = zstandard.ZstdCompressor(level=3).compress
Pieces = list[tuple[bytes | Slice, int]]


@dataclass
class Freed:
    """Bodies that are gone, that others needed rebuilt, and that wait because a gateway may still count on them."""

    deleted: int = 0
    rebuilt: int = 0
    waiting: int = 0

    def __iadd__(self, other: Freed) -> Freed:
        self.deleted += other.deleted
        self.rebuilt += other.rebuilt
        self.waiting += other.waiting
        return self


def let_go(digests: set[bytes], now: datetime) -> Freed:
    """Calls that needed these bodies need them no more, nor do their references stand. Call it in a transaction."""
    run = _Run(now)
    for digest in digests:
        run.let_go(digest)
    return run.freed


class _Run:
    def __init__(self, now: datetime) -> None:
        self.freed = Freed()
        self._cutoff = now - UNTOUCHED

    def let_go(self, digest: bytes, is_sliced: bool = True) -> None:
        """`is_sliced`: others may have a part of it only; else whoever has it has it whole."""
        blob = Blob.objects.filter(pk=digest).first()
        if blob is None or _by_calls(digest).exists():
            return
        if is_sliced:
            self._free_others(blob)
        if _sources(digest) and _is_needed({digest}):
            return
        gone, _ = Blob.objects.filter(
            ~Exists(BlobReference.objects.filter(target=OuterRef("digest"))), pk=digest, touched_at__lt=self._cutoff
        ).delete()
        if not gone:
            self.freed.waiting += not _sources(digest)
            return
        self.freed.deleted += 1
        pieces = [piece for piece, _ in _made_of(blob) if isinstance(piece, Slice)]
        for target in {piece.digest for piece in pieces}:
            BlobReference.objects.filter(target=target, source=digest)._raw_delete("default")
            self.let_go(target, any(piece.digest == target and piece.length >= 0 for piece in pieces))

    def _free_others(self, blob: Blob) -> None:
        others = Blob.objects.filter(pk__in=_sources(bytes(blob.pk)), recipe=True)
        for other in others:
            if _is_needed({bytes(other.pk)}):
                _rebuild(other, blob)
                self.freed.rebuilt += 1


def _rebuild(body: Blob, gone: Blob) -> None:
    """Make `body` of what `gone` is made of, instead of `gone`."""
    recipe = recipes.inlined(decompress(bytes(body.data)), bytes(gone.pk), _made_of(gone))
    Blob.objects.filter(pk=body.pk).update(data=_compress(recipe))
    needed = [BlobReference(target=target, source=body.pk) for target in recipes.targets(recipe)]
    BlobReference.objects.bulk_create(needed, ignore_conflicts=True)
    BlobReference.objects.filter(target=gone.pk, source=body.pk)._raw_delete("default")


def _made_of(blob: Blob) -> Pieces:
    data = decompress(bytes(blob.data))
    if not blob.recipe:
        return [(data, len(data))]
    pieces = list(recipes.decode(data))
    whole = {piece.digest for piece in pieces if isinstance(piece, Slice) and piece.length < 0}
    sizes = {bytes(pk): size for pk, size in Blob.objects.filter(pk__in=whole).values_list("pk", "size")}
    return [(piece, _size(piece, sizes)) for piece in pieces]


def _size(piece: bytes | Slice, sizes: dict[bytes, int]) -> int:
    if isinstance(piece, bytes):
        return len(piece)
    return sizes[piece.digest] if piece.length < 0 else piece.length


def _is_needed(digests: set[bytes]) -> bool:
    """Whether a call needs one of these, itself or through what is made of it."""
    seen: set[bytes] = set()
    while digests:
        if any(_by_calls(digest).exists() for digest in digests):
            return True
        seen |= digests
        digests = {source for digest in digests for source in _sources(digest)} - seen
    return False


def _sources(digest: bytes) -> set[bytes]:
    """The recipes, and calls, that need it."""
    found = BlobReference.objects.filter(target=digest).values_list("source", flat=True)
    return {bytes(source) for source in found}


def _by_calls(digest: bytes) -> QuerySet[BlobReference]:
    """The references of calls to it; all others are of recipes."""
    recipe = Blob.objects.filter(pk=OuterRef("source"))
    return BlobReference.objects.filter(~Exists(recipe), target=digest)
