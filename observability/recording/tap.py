"""A tap: the bytes that passed a point of a call. Pure."""

from __future__ import annotations

BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of one payload that are kept; what is beyond is dropped, and the record says so."""


class Tap:
    """The bytes that passed, up to BODY_LIMIT; `size` counts all of them.

    What passes after the call's end is still on record if the writer has not taken the chunks yet.
    """

    __slots__ = ("chunks", "name", "size", "truncated")

    def __init__(self, name: str) -> None:
        self.name = name
        self.restart()

    def restart(self) -> None:
        """Forget what passed: another attempt begins."""
        self.chunks: list[bytes] = []
        self.size = 0
        self.truncated = False

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size <= BODY_LIMIT:
            self.chunks.append(chunk)
        elif not self.truncated:
            self.truncated = True
            self.chunks.append(chunk[: BODY_LIMIT - (self.size - len(chunk))])
