"""An exported report against its manifest, its signature, and what its leaves say: no database, no network. Pure."""

from __future__ import annotations

import hashlib
import os
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import IO, BinaryIO

from observability.reports import proofs
from observability.reports.manifest import MANIFEST, RECORD, SIGNATURE, File, Manifest, NotAManifest, digest_of
from observability.reports.proofs import Checked, Place

from .walk import Finding

_CHUNK = 1 << 20
_LARGEST_MANIFEST = 64 << 20
_LOCAL_HEADER, _NAME_AND_EXTRA = 30, 26
"""Bytes of the head of a file in an archive, and where in it the lengths of two more fields stand."""
_END = b"PK\5\6" + bytes(18)
"""What an archive ends with, but for its numbers."""
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    OSError,
    struct.error,
)
"""What reading a damaged archive raises."""


@dataclass
class ReportCheck:
    """What was looked at, and what was wrong. Of `leaves`, `sealed` are covered by the seal that the report names."""

    findings: list[Finding] = field(default_factory=list)
    manifest: Manifest | None = None
    calls: int = 0
    events: int = 0
    leaves: int = 0
    sealed: int = 0
    shown: int = 0
    redacted: int = 0

    def note(self, what: str) -> None:
        self.findings.append(Finding(what))


def verify(file: BinaryIO, keys: Collection[bytes]) -> ReportCheck:
    """Look at all of the archive; `keys` are the public keys whose signatures count, 32 bytes each."""
    check = ReportCheck()
    try:
        with zipfile.ZipFile(file) as archive:
            _Verification(file, archive, keys, check).run()
    except _UNREADABLE as error:
        check.note(f"the archive is damaged: {error}")
    return check


class _Verification:
    def __init__(self, file: BinaryIO, archive: zipfile.ZipFile, keys: Collection[bytes], check: ReportCheck) -> None:
        self._raw = file
        self._archive = archive
        self._keys = keys
        self._check = check
        self._places: dict[tuple[str, int], Place] = {}

    def run(self) -> None:
        manifest = self._manifest()
        # Without a signature nothing in it says how large its files may be, or anything else worth comparing.
        if manifest is None:
            return
        self._check.manifest = manifest
        self._names(manifest)
        sound = [self._file(each) for each in manifest.files]
        self._seal(manifest)
        if all(sound):
            self._record(manifest)

    def _manifest(self) -> Manifest | None:
        names = self._archive.namelist()
        missing = [name for name in (MANIFEST, SIGNATURE, RECORD) if name not in names]
        if missing:
            self._check.note(f"{missing[0]} is missing: no whole report (`restore --check` checks a backup)")
            return None
        if self._archive.getinfo(MANIFEST).file_size > _LARGEST_MANIFEST:
            self._check.note("the manifest is too large to be one")
            return None
        try:
            manifest = Manifest.read(self._archive.read(MANIFEST))
        except NotAManifest as error:
            self._check.note(f"the manifest: {error}")
            return None
        if manifest.key not in self._keys:
            self._check.note(f"the manifest is signed by {manifest.key.hex()}, which is not trusted (--key trusts it)")
            return None
        with self._archive.open(SIGNATURE) as signature:
            if not manifest.is_signed(signature.read(1024)):
                self._check.note("the manifest is not what was signed")
                return None
        return manifest

    def _names(self, manifest: Manifest) -> None:
        """The archive holds what the manifest names, each once, and not a byte beside it."""
        names = self._archive.namelist()
        known = {MANIFEST, SIGNATURE, *(each.name for each in manifest.files)}
        for name in sorted({name for name in names if name not in known or names.count(name) > 1}):
            self._check.note(f"{name!r} was put in" if name not in known else f"{name!r} is there more than once")
        end = 0
        for info in sorted(self._archive.infolist(), key=lambda each: each.header_offset):
            if info.header_offset != end:
                self._check.note(f"something stands before {info.filename!r} that belongs to no file")
            self._raw.seek(info.header_offset + _NAME_AND_EXTRA)
            end = info.header_offset + _LOCAL_HEADER + sum(struct.unpack("<HH", self._raw.read(4))) + info.compress_size
        self._raw.seek(-len(_END), os.SEEK_END)
        if self._archive.start_dir != end or self._archive.comment or self._raw.read(4) != _END[:4]:
            self._check.note("something stands behind the last file that belongs to none")

    def _file(self, file: File) -> bool:
        try:
            info = self._archive.getinfo(file.name)
        except KeyError:
            self._check.note(f"{file.name} was taken out")
            return False
        if info.file_size == file.size:
            with self._archive.open(info) as member:
                if digest_of(_chunks(member)) == (file.size, file.sha256):
                    return True
        self._check.note(f"{file.name} was edited")
        return False

    def _seal(self, manifest: Manifest) -> None:
        seal = manifest.seal
        if seal is None:
            return
        if seal.key not in self._keys or not seal.is_signed:
            self._check.note(f"seal {seal.number} that it stands on is not signed by a key that is trusted")
        elif not manifest.is_under_seal:
            self._check.note(f"the chains that it names are not those of seal {seal.number}")

    def _record(self, manifest: Manifest) -> None:
        with self._archive.open(RECORD) as lines:
            for raw in lines:
                self._line(proofs.check(raw))
        for name, found in (("calls", self._check.calls), ("events", self._check.events)):
            if manifest.facts.get(name) != found:
                self._check.note(f"it stands on {manifest.facts.get(name)} {name}, and has {found}")
        self._chains({head.name: (head.sequence, head.chain) for head in manifest.heads})

    def _line(self, line: Checked) -> None:
        check = self._check
        if line.problem:
            check.note(f"{line.name} {line.problem}")
        check.calls += line.kind == "call"
        check.events += line.kind == "event"
        check.shown += line.shown
        check.redacted += line.redacted
        for place in line.places:
            if self._places.setdefault((place.chain, place.sequence), place) is not place:
                check.note(f"{line.name} is leaf {place.sequence} of {place.chain}, and so is another")

    def _chains(self, heads: dict[str, tuple[int, bytes]]) -> None:
        """Leaves that follow one another do so in their chain too, and the last sealed one is that of the seal."""
        self._check.leaves = len(self._places)
        for (chain, sequence), place in self._places.items():
            before = self._places.get((chain, sequence - 1))
            if before is not None and hashlib.sha256(before.value + place.leaf).digest() != place.value:
                self._check.note(f"leaf {sequence} of {chain} does not follow the one before it")
            at, value = heads.get(chain, (0, b""))
            self._check.sealed += sequence <= at
            if sequence == at and value != place.value:
                self._check.note(f"leaf {sequence} of {chain} is not the one that the seal covers")


def _chunks(member: IO[bytes]) -> Iterator[bytes]:
    while chunk := member.read(_CHUNK):
        yield chunk
