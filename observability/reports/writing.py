"""Writing a report: its rows into files, what it stands on beside them, and all of it into a signed archive."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from observability.exporters.base import Exporter, Fields, RecordedCall, Row

from . import proofs
from .formats import FORMATS
from .manifest import MANIFEST, RECORD, SIGNATURE, File, digest_of, write

_CHUNK = 1 << 20


@dataclass
class Counts:
    """Of what stands in a report."""

    rows: int = 0
    calls: int = 0
    events: int = 0


@dataclass
class Draft:
    """A report being written into `folder`. Whatever is added is on disk, and not in memory."""

    folder: Path
    exporter: Exporter
    formats: Sequence[str]
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self._files = [FORMATS[name](self.folder, self.exporter.columns, self.exporter.charts) for name in self.formats]
        self._record = (self.folder / RECORD).open("wb")

    def add_call(self, call: RecordedCall, rows: Iterable[Row], **said: Any) -> None:
        """A call, and the rows that follow from it; `said` is what proofs.call_line is told. Raises OSError."""
        self._record.write(proofs.dumped(proofs.call_line(call, **said)))
        self.counts.calls += 1
        self.add_rows(rows)

    def add_event(self, event: Fields, rows: Iterable[Row]) -> None:
        """Raises OSError."""
        self._record.write(proofs.dumped(proofs.event_line(event)))
        self.counts.events += 1
        self.add_rows(rows)

    def add_rows(self, rows: Iterable[Row]) -> None:
        """Raises OSError."""
        for row in rows:
            self.counts.rows += 1
            for file in self._files:
                file.add((row,))

    def close(self, facts: dict[str, Any]) -> list[Path]:
        """The files, whole. Raises OSError."""
        self._record.close()
        for file in self._files:
            file.close(facts)
        return [*(file.path for file in self._files), self.folder / RECORD]


def pack(
    files: Iterable[Path],
    facts: Mapping[str, Any],
    key: Ed25519PrivateKey,
    archive: Path,
    alive: Callable[[], None] = lambda: None,
) -> tuple[int, str]:
    """Put `files`, and the manifest that names them, into a new `archive`: its size and SHA-256. Raises OSError.

    `alive` is called now and then, as long as it takes; what it raises goes on.
    """
    descriptor = os.open(archive, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w+b") as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as packed:
        listed = [File(path.name, *_put(packed, path, alive)) for path in files]
        manifest, signature = write(facts, listed, key)
        packed.writestr(MANIFEST, manifest)
        packed.writestr(SIGNATURE, signature)
    return digest_of(_chunks(archive, alive))


def _put(packed: zipfile.ZipFile, path: Path, alive: Callable[[], None]) -> tuple[int, str]:
    """Size and SHA-256 of a file that is put into the archive."""
    info = zipfile.ZipInfo.from_file(path, path.name)
    info.compress_type = zipfile.ZIP_DEFLATED
    with packed.open(info, "w") as member:

        def copied() -> Iterator[bytes]:
            for chunk in _chunks(path, alive):
                member.write(chunk)
                yield chunk

        return digest_of(copied())


def _chunks(path: Path, alive: Callable[[], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            alive()
            yield chunk
