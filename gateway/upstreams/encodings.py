"""Decoding answers of upstreams that compress although they were asked not to. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli
import zstandard

from gateway.errors import UpstreamGarbled, UpstreamTruncated

# Small inputs bound what one of them may swell to.
_SLICE = 1024


class Decoder(Protocol):
    """Undoes one content encoding, chunk by chunk."""

    def decode(self, chunk: bytes) -> bytes: ...

    @property
    def complete(self) -> bool: ...


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)

    def decode(self, chunk: bytes) -> bytes:
        return self._inner.decompress(chunk)

    @property
    def complete(self) -> bool:
        return self._inner.eof


class _Deflate:
    """Deflate by the standard is zlib's format, and by the habit of some servers the bare stream."""

    def __init__(self) -> None:
        self._inner: _Zlib | None = None

    def decode(self, chunk: bytes) -> bytes:
        if self._inner is None:
            self._inner = _Zlib(zlib.MAX_WBITS if chunk[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS)
        return self._inner.decode(chunk)

    @property
    def complete(self) -> bool:
        return self._inner is not None and self._inner.complete


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    def decode(self, chunk: bytes) -> bytes:
        return bytes(self._inner.process(chunk))

    @property
    def complete(self) -> bool:
        return bool(self._inner.is_finished())


class _Zstandard:
    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor().decompressobj()

    def decode(self, chunk: bytes) -> bytes:
        return self._inner.decompress(chunk)

    @property
    def complete(self) -> bool:
        return self._inner.eof


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
        if not all(decoder.complete for decoder in self._decoders):
            raise UpstreamTruncated(f"The provider {self._provider} closed its answer before its end.")

    def _decode(self, piece: bytes) -> bytes:
        for decoder in self._decoders:
            if piece:
                try:
                    piece = decoder.decode(piece)
                except (zlib.error, brotli.error, zstandard.ZstdError):
                    raise UpstreamGarbled(
                        f"The provider {self._provider} sent an answer that is not what it says it is encoded as."
                    ) from None
        return piece

    def _decoder(self, name: str) -> Decoder:
        match name:
            case "gzip" | "x-gzip":
                return _Zlib(16 + zlib.MAX_WBITS)
            case "deflate":
                return _Deflate()
            case "br":
                return _Brotli()
            case "zstd":
                return _Zstandard()
        raise UpstreamGarbled(f"The provider {self._provider} encoded its answer in a way that is not known here.")
