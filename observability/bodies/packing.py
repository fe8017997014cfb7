"""Bodies that stand in the row of their own call. Pure.

Most bodies are small, and nobody else needs them: they are compressed together and written with their row, without
rows, references and names in an index of their own. A pack is zstd of entries, one after the other: which payload (its
place in PAYLOADS, a byte), the length of its recipe (four bytes), the recipe as `recipes.encode` makes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import zstandard

from .decompression import decompress
from .payloads import MIN_SPLIT, common_head, common_tail
from .recipes import PayloadDamaged, Slice, encode

SMALL = MIN_SPLIT
"""A body shorter than this (bytes) is packed; longer ones are blobs, which later bodies can build on."""

_LENGTH = 4
Bytes = bytes | memoryview
Entry = tuple[int, bytes]
"""Which payload, and its recipe."""


def pack(entries: Iterable[Entry], compressor: zstandard.ZstdCompressor) -> bytes:
    parts: list[bytes] = []
    for place, recipe in entries:
        parts += (bytes((place,)), len(recipe).to_bytes(_LENGTH), recipe)
    return compressor.compress(b"".join(parts))


def unpack(packed: bytes) -> Iterator[Entry]:
    """Raises PayloadDamaged."""
    try:
        data = decompress(packed)
    except zstandard.ZstdError as error:
        raise PayloadDamaged("a pack cannot be decompressed") from error
    position = 0
    while position < len(data):
        start = position + 1 + _LENGTH
        end = start + int.from_bytes(data[position + 1 : start])
        if end > len(data):
            raise PayloadDamaged("a pack ends in the middle of a body")
        yield data[position], data[start:end]
        position = end


def recipes(digests: Sequence[Bytes | None], packs: Iterable[Bytes | None]) -> dict[bytes, bytes]:
    """The recipes of a call's packed bodies by their names; `digests` are those of PAYLOADS. Raises PayloadDamaged."""
    found: dict[bytes, bytes] = {}
    for packed in packs:
        for place, recipe in unpack(bytes(packed)) if packed else ():
            digest = digests[place] if place < len(digests) else None
            if digest is None:
                raise PayloadDamaged("a pack holds a body that its call does not have")
            found[bytes(digest)] = recipe
    return found


def edit(raw: bytes, base: bytes, digest: bytes) -> bytes:
    """A recipe of `raw` as a change to `base`, whose name is `digest`; empty where the change is not small."""
    least = min(len(raw), len(base))
    head = common_head(raw, base, least)
    tail = common_tail(raw, base, least - head)
    added = raw[head : len(raw) - tail]
    if len(added) >= SMALL:
        return b""
    pieces = (Slice(digest, 0, head), added, Slice(digest, len(base) - tail, tail))
    return encode(piece for piece in pieces if (piece if isinstance(piece, bytes) else piece.length))
