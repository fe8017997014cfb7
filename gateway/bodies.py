"""Request bodies: read whole into memory, counted while they come, decoded with a cap."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import brotli
import zstandard

from gateway.errors import BadRequest, TooLarge, Unavailable, Unsupported

LARGEST = 32 * 1024 * 1024
"""Bytes of one body, as it comes and decoded."""
LARGEST_IN_FLIGHT = 512 * 1024 * 1024
"""Bytes of all bodies that this process holds at once."""

Receive = Callable[[], Awaitable[Any]]


_STEP = 256


class ClientLeft(Exception):
    """The client closed its connection before the request was whole."""


class _Decoder(Protocol):
    def feed(self, data: bytes) -> bytes: ...
    @property
    def complete(self) -> bool: ...


class Bodies:
    """Counts the bodies in flight; `read` takes its share and `release` gives it back."""

    def __init__(self, largest: int = LARGEST, largest_in_flight: int = LARGEST_IN_FLIGHT) -> None:
        self._largest = largest
        self._largest_in_flight = largest_in_flight
        self.in_flight = 0

    async def read(self, receive: Receive, encoding: str) -> bytes:
        """The decoded body. Raises TooLarge, Unsupported, BadRequest, Unavailable, ClientLeft."""
        chunks: list[bytes] = []
        size = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientLeft
                chunk = message.get("body", b"")
                size += len(chunk)
                self._take(len(chunk))
                if size > self._largest:
                    raise TooLarge(f"The request is larger than {self._largest >> 20} MiB.")
                chunks.append(chunk)
                if not message.get("more_body", False):
                    break
            body = b"".join(chunks)
            decoded = body if encoding in ("", "identity") else decode(body, encoding, self._largest)
        except BaseException:
            self.release(size)
            raise
        self.in_flight += len(decoded) - size
        return decoded

    def release(self, size: int) -> None:
        self.in_flight -= size

    def _take(self, size: int) -> None:
        self.in_flight += size
        if self.in_flight > self._largest_in_flight:
            raise Unavailable("Too many large requests at once; try again in a moment.")


def content_encoding(headers: Mapping[bytes, bytes]) -> str:
    return headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()


def decode(body: bytes, encoding: str, largest: int = LARGEST) -> bytes:
    """`body` without its content codings, innermost first applied. Raises Unsupported, TooLarge, BadRequest."""
    for coding in reversed([part.strip() for part in encoding.split(",")]):
        if coding in ("", "identity"):
            continue
        make = _DECODERS.get(coding)
        if make is None:
            raise Unsupported(f"The content encoding {coding[:40]!r} is not supported; use gzip, deflate, br or zstd.")
        try:
            body = _within(make, body, largest)
        except (zlib.error, brotli.error, zstandard.ZstdError, EOFError) as error:
            raise BadRequest(f"The body is not valid {coding}.") from error
    return body


def _within(make: Callable[[], _Decoder], body: bytes, largest: int) -> bytes:
    """Decode in steps so small that a bomb is noticed when it is a few MiB over the cap."""
    decoder = make()
    parts: list[bytes] = []
    size = 0
    for start in range(0, len(body), _STEP):
        part = decoder.feed(body[start : start + _STEP])
        size += len(part)
        if size > largest:
            raise TooLarge(f"The decoded request is larger than {largest >> 20} MiB.")
        parts.append(part)
    if not decoder.complete:
        raise EOFError
    return b"".join(parts)


class _Zlib:
    def __init__(self, window: int) -> None:
        self._inflate = zlib.decompressobj(window)

    def feed(self, data: bytes) -> bytes:
        return self._inflate.decompress(data)

    @property
    def complete(self) -> bool:
        return self._inflate.eof


class _Deflate:
    """`deflate` is zlib's format by the standard, and raw deflate by many senders."""

    def __init__(self) -> None:
        self._inner: _Zlib | None = None

    def feed(self, data: bytes) -> bytes:
        if self._inner is None:
            is_zlib = len(data) > 1 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
            self._inner = _Zlib(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        return self._inner.feed(data)

    @property
    def complete(self) -> bool:
        return self._inner is not None and self._inner.complete


class _Brotli:
    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()

    def feed(self, data: bytes) -> bytes:
        return bytes(self._decompressor.process(data))

    @property
    def complete(self) -> bool:
        return bool(self._decompressor.is_finished())


class _Zstd:
    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()

    def feed(self, data: bytes) -> bytes:
        return self._decompressor.decompress(data)

    @property
    def complete(self) -> bool:
        return self._decompressor.eof


_DECODERS: dict[str, Callable[[], _Decoder]] = {
    "gzip": lambda: _Zlib(16 + zlib.MAX_WBITS),
    "x-gzip": lambda: _Zlib(16 + zlib.MAX_WBITS),
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}
