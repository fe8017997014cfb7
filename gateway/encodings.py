"""Content encodings undone piece by piece, for clients' requests and providers' answers alike. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

import brotli
import zstandard

BROKEN = (zlib.error, brotli.error, zstandard.ZstdError)
"""What a decoder raises for bytes that are not what it decodes."""
LARGEST_STEP = 32 * 1024 * 1024
"""Bytes that one small piece may swell to; of the encodings known here only Brotli's would to more."""
_LARGEST_WINDOW = 128 * 1024 * 1024


class Swollen(Exception):
    """A small piece would swell to more than LARGEST_STEP."""


class Decoder(Protocol):
    """Undoes one content encoding. Small pieces bound what one of them may swell to."""

    def decode(self, piece: bytes) -> bytes:
        """What `piece`, which is not empty, brings. Raises one of BROKEN, and Swollen."""
        ...

    @property
    def complete(self) -> bool:
        """Whether what was encoded is at its end."""
        ...


def decoder(name: str) -> Decoder | None:
    """A new decoder for a name in a `content-encoding` header, in lower case; None where nobody knows it."""
    make = _DECODERS.get(name)
    return make() if make is not None else None


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)

    def decode(self, piece: bytes) -> bytes:
        return self._inner.decompress(piece)

    @property
    def complete(self) -> bool:
        return self._inner.eof


class _Deflate:
    """Deflate by the standard is zlib's format, and by the habit of some senders the bare stream."""

    def __init__(self) -> None:
        self._inner: _Zlib | None = None

    def decode(self, piece: bytes) -> bytes:
        if self._inner is None:
            self._inner = _Zlib(zlib.MAX_WBITS if _begins_as_zlib(piece) else -zlib.MAX_WBITS)
        return self._inner.decode(piece)

    @property
    def complete(self) -> bool:
        return self._inner is not None and self._inner.complete


def _begins_as_zlib(piece: bytes) -> bool:
    deflated = piece[0] & 0x0F == zlib.DEFLATED
    return deflated and (len(piece) == 1 or int.from_bytes(piece[:2], "big") % 31 == 0)


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    def decode(self, piece: bytes) -> bytes:
        decoded = bytes(self._inner.process(piece, output_buffer_limit=LARGEST_STEP))
        if not self._inner.can_accept_more_data():
            raise Swollen
        return decoded

    @property
    def complete(self) -> bool:
        return bool(self._inner.is_finished())


class _Zstandard:
    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).decompressobj()

    def decode(self, piece: bytes) -> bytes:
        return self._inner.decompress(piece)

    @property
    def complete(self) -> bool:
        return self._inner.eof


_DECODERS: dict[str, Callable[[], Decoder]] = {
    "gzip": lambda: _Zlib(16 + zlib.MAX_WBITS),
    "x-gzip": lambda: _Zlib(16 + zlib.MAX_WBITS),
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstandard,
}
