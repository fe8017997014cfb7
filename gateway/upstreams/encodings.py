"""Decoding answers of upstreams that compress although they were asked not to. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.encodings import BROKEN, Decoder, decoder
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
        for start in range(0, len(chunk), _SLICE):
            piece = self._decode(chunk[start : start + _SLICE])
            if piece:
                yield piece

    def close(self) -> None:
        """The body is at its end. Raises UpstreamTruncated if what it encodes is not."""
        if not all(each.complete for each in self._decoders):
            raise UpstreamTruncated(f"The provider {self._provider} closed its answer before its end.")

    def _decode(self, piece: bytes) -> bytes:
        for each in self._decoders:
            if piece:
                try:
                    piece = each.decode(piece)
                except BROKEN:
                    raise UpstreamGarbled(
                        f"The provider {self._provider} sent an answer that is not what it says it is encoded as."
                    ) from None
        return piece

    def _decoder(self, name: str) -> Decoder:
        found = decoder(name)
        if found is None:
            raise UpstreamGarbled(f"The provider {self._provider} encoded its answer in a way that is not known here.")
        return found
