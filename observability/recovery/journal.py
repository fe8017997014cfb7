"""The journal: what is durable on this machine's disk before the database has it.

A file for each process: a head (MAGIC, and the number of the round, which begins anew whenever the database has
everything), then frames, each of its length, a checksum over round and content, and msgpack of transactions. The
process holds a lock on its file while it lives; a file that nobody holds is of one that died, and is the others' to
bring home. All of it may be written to the database twice, so a journal is never wrong, only late.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from errno import ENOSPC
from itertools import count
from pathlib import Path
from typing import Self, cast
from zlib import crc32

import msgpack
import structlog

from observability.rows.statements import Statement

log = structlog.get_logger(__name__)

Transactions = list[list[Statement]]

MAGIC = b"lthjrnl1"
LAID_OUT = 4 * 1024 * 1024
"""Bytes that are written at the start, so that there is room for what is under way when a disk runs full."""
_HEAD, _FRAME = struct.Struct("<8sQ"), struct.Struct("<II")
SUFFIX = ".journal"


class NotAJournal(Exception):
    """A file that this version cannot read."""


class NotKept(Exception):
    """There is no room, the disk takes nothing, or there is a value that no database takes either."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Transactions that were appended together, of that many `entries`. `end` is where the next frame begins."""

    transactions: Transactions
    entries: int
    end: int


class Journal:
    """One process's file. `limit` is the most bytes it may take."""

    def __init__(self, path: Path, limit: int) -> None:
        self._limit = max(limit, LAID_OUT)
        self._descriptor = _made(path)
        self._path = path
        self._rounds = count(1)
        self._round = 0
        self._end = 0
        self._fails = False

    @property
    def size(self) -> int:
        """Bytes of what the database may not have."""
        return self._end

    @property
    def is_used(self) -> bool:
        """Whether there is anything in it that the disk should forget."""
        return self._end > 0 or self._fails

    @property
    def is_full(self) -> bool:
        """Whether no call should begin on the strength of it; those that have begun may use the rest."""
        return self._fails or self._end > self._limit * 0.9

    def append(self, transactions: Transactions, entries: int) -> None:
        """Durable on return. Raises NotKept."""
        head = b""
        if not self._end:
            self._round = next(self._rounds)
            head = _HEAD.pack(MAGIC, self._round)
        try:
            content = msgpack.packb((transactions, entries), datetime=True, unicode_errors="surrogatepass")
        except (TypeError, ValueError, OverflowError) as error:
            raise NotKept(type(error).__name__) from error
        data = b"".join((head, _FRAME.pack(len(content), _checksum(self._round, content)), content))
        if self._end + len(data) > self._limit:
            raise NotKept(f"{self._path.name} has reached its limit")
        try:
            self._write(data)
        except OSError as error:
            self._fails = True
            self._spoil(len(data))
            raise NotKept(error.strerror or "the disk takes nothing") from error
        self._fails = False
        self._end += len(data)

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """What was appended, in order, from a frame's beginning on."""
        return _frames(self._descriptor, self._round, start, self._end)

    def begin_anew(self) -> None:
        """The database has everything. Forget it also on disk, or somebody might bring home what was erased since."""
        used, self._end = self._end, 0
        self._fails = False
        try:
            os.ftruncate(self._descriptor, LAID_OUT)
            os.pwrite(self._descriptor, bytes(min(used, LAID_OUT)), 0)
            os.fdatasync(self._descriptor)
        except OSError as error:
            log.error("what the database has cannot be removed from the journal", error=error.strerror)

    def close(self) -> None:
        """Leave; the file goes with us if the database has everything, and else is whoever's finds it."""
        if not self._end:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _write(self, data: bytes) -> None:
        """What is there already stays readable if this is cut off. Raises OSError."""
        if os.pwrite(self._descriptor, data, self._end) < len(data):
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        os.fdatasync(self._descriptor)

    def _spoil(self, size: int) -> None:
        """What could not be made durable may be readable all the same; it will be written otherwise, or elsewhere."""
        with suppress(OSError):
            os.pwrite(self._descriptor, bytes(min(size, _HEAD.size + _FRAME.size)), self._end)


class Abandoned:
    """The journal of a process that died, locked for us, on the way home."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def all_in(cls, folder: Path) -> Iterator[Self]:
        """Those in `folder` that nobody holds, the oldest first."""
        for path in sorted(folder.glob(f"*{SUFFIX}"), key=_age):
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                continue  # another process has brought it home meanwhile
            except OSError as error:
                log.critical("a journal cannot be opened", path=str(path), error=error.strerror)
                continue
            # Who locked it last may have brought it home.
            if _locked(descriptor) and os.fstat(descriptor).st_nlink:
                yield cls(path, descriptor)
            else:
                os.close(descriptor)

    def frames(self) -> Iterator[Frame]:
        """What it holds, in order. Raises OSError, and NotAJournal where another version of Luthien wrote it."""
        head = os.pread(self._descriptor, _HEAD.size, 0)
        if len(head) < _HEAD.size or not any(head[: len(MAGIC)]):
            return iter(())
        if not head.startswith(MAGIC):
            raise NotAJournal(self.path.name)
        return _frames(self._descriptor, _HEAD.unpack(head)[1], 0, os.fstat(self._descriptor).st_size)

    def done(self) -> None:
        """The database has all of it; `release` is still due."""
        self.path.unlink(missing_ok=True)

    def release(self) -> None:
        os.close(self._descriptor)


def _made(path: Path) -> int:
    """A file of our own, laid out and locked. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Under another name until it is locked, or others would take it for one that nobody holds.
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _locked(descriptor)
        os.write(descriptor, bytes(LAID_OUT))
        os.fsync(descriptor)
        draft.rename(path)
        _sync(path.parent)  # or the name might be lost with the power
    except OSError:
        draft.unlink(missing_ok=True)
        os.close(descriptor)
        raise
    return descriptor


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _age(path: Path) -> float:
    with suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0.0


def bytes_waiting(folder: Path) -> int:
    """How much of all journals in `folder` the databases may not have, whoever holds them."""
    return sum(_waiting_in(path) for path in folder.glob(f"*{SUFFIX}"))


def _waiting_in(path: Path) -> int:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD.size)
            if len(head) < _HEAD.size or not head.startswith(MAGIC):
                return 0
            size = os.fstat(file.fileno()).st_size
            return max((end for _, end in _contents(file.fileno(), _HEAD.unpack(head)[1], 0, size)), default=0)
    except OSError:
        return 0  # brought home meanwhile


def _frames(descriptor: int, number: int, start: int, end: int) -> Iterator[Frame]:
    for content, position in _contents(descriptor, number, start, end):
        transactions, entries = msgpack.unpackb(content, timestamp=3, use_list=False, unicode_errors="surrogatepass")
        read = [list(statements) for statements in cast("Sequence[Sequence[Statement]]", transactions)]
        yield Frame(read, entries, position)


def _contents(descriptor: int, number: int, start: int, end: int) -> Iterator[tuple[bytes, int]]:
    """What stands in each frame that is whole and of this round, and where the next one begins."""
    position = start or _HEAD.size
    while position + _FRAME.size <= end:
        length, checksum = _FRAME.unpack(os.pread(descriptor, _FRAME.size, position))
        position += _FRAME.size
        content = os.pread(descriptor, length, position) if length and position + length <= end else b""
        if not content or _checksum(number, content) != checksum:
            return
        position += length
        yield content, position


def _checksum(number: int, content: bytes) -> int:
    return crc32(content, number & 0xFFFFFFFF)
