"""Decoding answers of upstreams that compress although they were asked not to. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.encodings import BROKEN, Decoder, Swollen, decoder
from gateway.errors import UpstreamGarbled, UpstreamTruncated

_SLICE = 1024
"""Bytes that are decoded at once."""


class Decoding:
    """Undoes the encodings of a `content-encoding` header. Raises UpstreamGarbled for one that nobody knows."""

    def __init__(self, provider: str, header: str) -> None:
        self._provider = provider
        names = [name.strip().lower() for name in header.split(",")]
        self._decoders = [self._decoder(name) for name in reversed(names) if name not in ("", "identity")]

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """The decoded pieces of `chunk`, none empty. Raises UpstreamGarbled."""
        yield from self._undone(chunk, 0)

    def close(self) -> None:
        """The body is at its end. Raises UpstreamTruncated if what it encodes is not."""
        if not all(each.complete for each in self._decoders):
            raise UpstreamTruncated(f"The provider {self._provider} closed its answer before its end.")

    def _undone(self, piece: bytes, place: int) -> Iterator[bytes]:
        """Each encoding by slices of its own: one upon the other, they would swell by the product of what each does."""
        if place == len(self._decoders):
            if piece:
                yield piece
            return
        for start in range(0, len(piece), _SLICE):
            yield from self._undone(self._decode(place, piece[start : start + _SLICE]), place + 1)

    def _decode(self, place: int, piece: bytes) -> bytes:
        try:
            return self._decoders[place].decode(piece)
        except (*BROKEN, Swollen):
            raise UpstreamGarbled(
                f"The provider {self._provider} sent an answer that is not what it says it is encoded as."
            ) from None

    def _decoder(self, name: str) -> Decoder:
        found = decoder(name)
        if found is None:
            raise UpstreamGarbled(f"The provider {self._provider} encoded its answer in a way that is not known here.")
        return found
