"""The file of a backup: a zip of a manifest and a member for each table, rows in msgpack under zstd. Knows no database.

The manifest stands last, so that a file which was cut off has none.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack
import orjson
import zstandard

FORMAT = 1
MANIFEST = "manifest.json"
_KEYS = "keys/"
_CHUNK = 256 * 1024


class BadBackup(ValueError):
    """The file is not a backup, or not whole; says why."""


class Writer:
    """`manifest` goes into the file at the end, with the digest and the count of each table."""

    def __init__(self, archive: zipfile.ZipFile, manifest: dict[str, Any]) -> None:
        self._archive = archive
        self.manifest = {"format": FORMAT, **manifest, "tables": {}}

    def table(self, name: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> Iterator[int]:
        """Write a table; tells of each row."""
        packer = msgpack.Packer(datetime=True, unicode_errors="surrogatepass")
        count, digest = 0, hashlib.sha256()
        compressor = zstandard.ZstdCompressor(level=6)
        with (
            self._archive.open(_member(name), "w", force_zip64=True) as member,
            compressor.stream_writer(member, closefd=False) as stream,
        ):
            for row in rows:
                packed = packer.pack(row)
                digest.update(packed)
                stream.write(packed)
                count += 1
                yield 1
        self.manifest["tables"][name] = {"columns": list(columns), "rows": count, "sha256": digest.hexdigest()}

    def key(self, name: str, value: str) -> None:
        self._archive.writestr(_KEYS + name, value)


@contextmanager
def writing(path: Path, manifest: dict[str, Any]) -> Iterator[Writer]:
    """A new file for our eyes alone. It stands at `path` once it is whole and durable; else nothing does."""
    draft = path.with_name(f".{path.name}.part")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "r+b") as file:
            with zipfile.ZipFile(file, "w") as archive:
                writer = Writer(archive, manifest)
                yield writer
                archive.writestr(MANIFEST, orjson.dumps(writer.manifest, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


class Reader:
    """Raises BadBackup."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        try:
            self.manifest: dict[str, Any] = orjson.loads(archive.read(MANIFEST))
        except (KeyError, ValueError):
            raise BadBackup("It has no manifest: it is not a backup, or was cut off.") from None
        if self.manifest.get("format") != FORMAT:
            raise BadBackup("It is of another version of Luthien.")

    def rows(self, name: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a table. Raises BadBackup at their end where they are not those that were written."""
        said, digest, count = self.manifest["tables"][name], hashlib.sha256(), 0
        unpacker = msgpack.Unpacker(timestamp=3, use_list=False, unicode_errors="surrogatepass", max_buffer_size=0)
        try:
            with self._archive.open(_member(name)) as member:
                stream = zstandard.ZstdDecompressor().stream_reader(member, read_across_frames=True)
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    unpacker.feed(chunk)
                    for row in unpacker:
                        count += 1
                        yield row
        except (KeyError, ValueError, zipfile.BadZipFile, zstandard.ZstdError):
            raise BadBackup(f"The table {name} cannot be read.") from None
        if (count, digest.hexdigest()) != (said["rows"], said["sha256"]):
            raise BadBackup(f"The table {name} is not what was backed up.")

    def keys(self) -> dict[str, str]:
        """The secrets that were put into it on request."""
        names = [name for name in self._archive.namelist() if name.startswith(_KEYS)]
        return {name.removeprefix(_KEYS): self._archive.read(name).decode() for name in names}


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Raises BadBackup, and OSError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield Reader(archive)
    except zipfile.BadZipFile:
        raise BadBackup("It is not a backup, or was cut off.") from None


def _member(name: str) -> str:
    return f"tables/{name}.msgpack.zst"
