"""Request bodies: read whole into memory, counted while they come, decoded with a cap."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gateway.encodings import BROKEN, Decoder, Swollen, decoder
from gateway.errors import BadRequest, RequestStalled, TooLarge, Unavailable, Unsupported
from gateway.watch import LONGEST_SENDING, SLOWEST_SENDER, ClientLeft, Watch, WatchedBody

LARGEST = 32 * 1024 * 1024
"""Bytes of one body, as it comes and decoded."""
LARGEST_IN_FLIGHT = 512 * 1024 * 1024
"""Bytes of all bodies that this process holds at once."""

_STEP = 256
"""Encoded bytes that are decoded at once: what they may swell to is what the cap is overrun by."""

_TOO_SLOW = (
    f"The request came too slowly: no byte of it for {SLOWEST_SENDER:.0f} s, or not all within {LONGEST_SENDING:.0f} s."
)

_DECODED_TOO_LARGE = "The decoded request is larger than {} MiB."

Receive = Callable[[], Awaitable[Any]]


class Bodies:
    """Counts the bodies in flight; `read` takes its share and `release` gives it back. `watch` ends what stalls."""

    def __init__(self, watch: Watch, largest: int = LARGEST, largest_in_flight: int = LARGEST_IN_FLIGHT) -> None:
        self._watch = watch
        self._largest = largest
        self._largest_in_flight = largest_in_flight
        self.in_flight = 0

    async def read(self, receive: Receive, encoding: str) -> bytes:
        """The decoded body. Raises TooLarge, Unsupported, BadRequest, RequestStalled, Unavailable, ClientLeft."""
        chunks: list[bytes] = []
        size = 0
        task = asyncio.current_task()
        assert task is not None
        coming = WatchedBody(task)
        self._watch.add(coming)
        try:
            while True:
                message = await receive()
                coming.heard()
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
            # What comes encoded may be a bomb, and is rare.
            plain = encoding in ("", "identity")
            decoded = body if plain else await asyncio.to_thread(decode, body, encoding, self._largest)
        except BaseException as error:
            self.release(size)
            if coming.too_slow and isinstance(error, asyncio.CancelledError) and not task.uncancel():
                raise RequestStalled(_TOO_SLOW) from None
            raise
        finally:
            self._watch.discard(coming)
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
        undoing = decoder(coding)
        if undoing is None:
            raise Unsupported(f"The content encoding {coding[:40]!r} is not supported; use gzip, deflate, br or zstd.")
        try:
            body = _within(undoing, body, largest)
        except Swollen:
            raise TooLarge(_DECODED_TOO_LARGE.format(largest >> 20)) from None
        except (*BROKEN, EOFError) as error:
            raise BadRequest(f"The body is not valid {coding}.") from error
    return body


def _within(undoing: Decoder, body: bytes, largest: int) -> bytes:
    """Decode in steps so small that a bomb is noticed when it is a few MiB over the cap."""
    parts: list[bytes] = []
    size = 0
    for start in range(0, len(body), _STEP):
        part = undoing.decode(body[start : start + _STEP])
        size += len(part)
        if size > largest:
            raise TooLarge(_DECODED_TOO_LARGE.format(largest >> 20))
        parts.append(part)
    if not undoing.complete:
        raise EOFError
    return b"".join(parts)
