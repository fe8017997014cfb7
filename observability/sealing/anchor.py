"""The anchor: a file to which every seal is appended, best on a volume that nobody of the database can write to.

Whoever cuts the end off the record, seals and all, cannot cut it off here.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from .statement import NotASeal, Seal

_TAIL = 512 * 1024
"""Bytes at the end of the file that are looked through; a line is seldom longer than one thousand."""


class Anchor:
    """Many processes of a machine may append to the same file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def last(self) -> Seal | None:
        """The newest seal in it; None where there is none. Raises OSError."""
        try:
            with self.path.open("rb") as file:
                lines = _tail(file)
        except FileNotFoundError:
            return None
        return next((seal for seal in map(_read, reversed(lines)) if seal is not None), None)

    def append(self, seals: Iterable[Seal]) -> None:
        """Put down those that another process did not just put down; durable on return. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            *known, torn = _tail(file) or [b""]
            lines = [line for seal in seals if (line := seal.line.encode()) not in known]
            if lines:
                # A line that a crash cut off is ended, so that what follows can be read.
                file.write(b"\n" * bool(torn) + b"".join(line + b"\n" for line in lines))
                os.fsync(file.fileno())

    def read(self) -> Iterator[Seal]:
        """All seals, as they were put down; lines that are none are passed over. Raises OSError."""
        with self.path.open("rb") as file:
            for line in file:
                seal = _read(line)
                if seal is not None:
                    yield seal


def _tail(file: BinaryIO | RawIOBase) -> list[bytes]:
    """The last lines, without their ends; behind the end of the last one nothing, or what is torn."""
    file.seek(max(file.seek(0, os.SEEK_END) - _TAIL, 0))
    return (file.read() or b"").split(b"\n")


def _read(line: bytes) -> Seal | None:
    try:
        return Seal.read(line)
    except NotASeal:
        return None
