"""The file of a backup: a zip of a manifest, signed, and a member for each table, rows in msgpack under zstd.

Knows no database. The manifest stands behind what it describes, so that a file which was cut off has none.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack
import orjson
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from observability.sealing import signature
from observability.sealing.statement import public_bytes

KIND = "luthien backup 2"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
_KEYS = "keys/"
_CHUNK = 256 * 1024
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)
"""What reading a damaged archive raises, where it does not lack the member."""


class BadBackup(ValueError):
    """The file is not a backup, or not whole; says why."""


class Writer:
    """`manifest` goes into the file at the end, with the digest of each key, and the digest and count of each table.

    `name`, the digest of the manifest, tells this backup from all others once it is whole.
    """

    def __init__(self, archive: zipfile.ZipFile, manifest: dict[str, Any]) -> None:
        self._archive = archive
        self.name = ""
        self.manifest: dict[str, Any] = {"kind": KIND, **manifest, "keys": {}, "tables": {}}

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
        self.manifest["keys"][name] = _digest(value.encode())


@contextmanager
def writing(path: Path, manifest: dict[str, Any], key: Ed25519PrivateKey) -> Iterator[Writer]:
    """A new file for our eyes alone, signed with `key`.

    It stands at `path` once it is whole and durable; else nothing does.
    """
    draft = path.with_name(f".{path.name}.part")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "r+b") as file:
            with zipfile.ZipFile(file, "w") as archive:
                writer = Writer(archive, {**manifest, "public_key": public_bytes(key).hex()})
                yield writer
                said = orjson.dumps(writer.manifest, option=orjson.OPT_INDENT_2)
                writer.name = _digest(said)
                archive.writestr(MANIFEST, said)
                archive.writestr(SIGNATURE, signature.sign(KIND, said, key))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


class Reader:
    """What is in it is what `key`, the 32 bytes of a public key, signed; who trusts that key is another question.

    `name` is that of the writer.

    Raises BadBackup.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        try:
            said = archive.read(MANIFEST)
            self.manifest: dict[str, Any] = orjson.loads(said)
            kind, key = self.manifest.get("kind"), str(self.manifest.get("public_key"))
        except (KeyError, AttributeError, *_DAMAGED):
            raise BadBackup("It has no manifest: it is not a backup, or was cut off.") from None
        if kind != KIND:
            raise BadBackup("It is of another version of Luthien.")
        self.key = self._signer(said, key)
        self.name = _digest(said)

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
        except (KeyError, zstandard.ZstdError, *_DAMAGED):
            raise BadBackup(f"The table {name} cannot be read.") from None
        if (count, digest.hexdigest()) != (said["rows"], said["sha256"]):
            raise BadBackup(f"The table {name} is not what was backed up.")

    def keys(self) -> dict[str, str]:
        """The secrets that were put into it on request."""
        return {name: self._secret(name, digest) for name, digest in self.manifest["keys"].items()}

    def _signer(self, said: bytes, key: str) -> bytes:
        try:
            written, signer = self._archive.read(SIGNATURE), bytes.fromhex(key)
        except KeyError:
            raise BadBackup("It is not signed, so nothing shows that it is what was backed up.") from None
        except _DAMAGED:
            written, signer = b"", b""
        if not signature.is_of(signer, written, KIND, said):
            raise BadBackup("Its manifest was changed since it was signed.")
        return signer

    def _secret(self, name: str, digest: str) -> str:
        try:
            value = self._archive.read(_KEYS + name).decode()
        except (KeyError, *_DAMAGED):
            raise BadBackup(f"The key {name} cannot be read.") from None
        if _digest(value.encode()) != digest:
            raise BadBackup(f"The key {name} is not what was backed up.")
        return value


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Raises BadBackup, and OSError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield Reader(archive)
    except zipfile.BadZipFile:
        raise BadBackup("It is not a backup, or was cut off.") from None


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def _member(name: str) -> str:
    return f"tables/{name}.msgpack.zst"
