"""zstd with one context a thread: making one takes longer than reading a small body with it. Pure."""

from __future__ import annotations

import threading

import zstandard

_of_thread = threading.local()


def decompress(data: bytes) -> bytes:
    """What was compressed. Raises zstandard.ZstdError."""
    try:
        context: zstandard.ZstdDecompressor = _of_thread.context
    except AttributeError:
        context = _of_thread.context = zstandard.ZstdDecompressor()
    return context.decompress(data)
