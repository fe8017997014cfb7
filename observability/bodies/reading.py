"""Blobs as recipes need them: with a recipe comes all that it is made of, so that a body takes a query or two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

import zstandard

from observability.models import Blob

from .decompression import decompress
from .recipes import PayloadDamaged, targets

AT_ONCE = 500
"""Blobs that one query asks for."""


class Blobs:
    """A `recipes.Load` over the database. `packed` are recipes that are at hand, by their digests."""

    def __init__(self, packed: Mapping[bytes, bytes] | None = None) -> None:
        self._packed = packed or {}
        self._found: dict[bytes, tuple[bool, bytes]] = {}
        self._read: dict[bytes, tuple[bool, bytes]] = {}

    def __call__(self, digest: bytes) -> tuple[bool, bytes]:
        """Whether the blob is a recipe, and its bytes. Raises PayloadDamaged."""
        if digest not in self._read:
            is_recipe, data = (True, self._packed[digest]) if digest in self._packed else self._stored(digest)
            if is_recipe:
                self._fetch(targets(data))
            self._read[digest] = is_recipe, data
        return self._read[digest]

    def _stored(self, digest: bytes) -> tuple[bool, bytes]:
        self._fetch([digest])
        if digest not in self._found:
            raise PayloadDamaged("a blob is missing")
        is_recipe, compressed = self._found.pop(digest)
        try:
            return is_recipe, decompress(compressed)
        except zstandard.ZstdError as error:
            raise PayloadDamaged("a blob cannot be decompressed") from error

    def _fetch(self, digests: Iterable[bytes]) -> None:
        missing = (digest for digest in digests if not self._knows(digest))
        while some := list(islice(missing, AT_ONCE)):
            rows = Blob.objects.filter(pk__in=some).values_list("digest", "recipe", "data")
            self._found |= {bytes(digest): (recipe, bytes(data)) for digest, recipe, data in rows}

    def _knows(self, digest: bytes) -> bool:
        return digest in self._read or digest in self._found or digest in self._packed
