"""Bodies against their digests: every blob, and what stands packed in the rows of calls."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import zstandard

from observability.bodies import packing, recipes
from observability.bodies.decompression import decompress
from observability.bodies.recipes import PayloadDamaged
from observability.rows.statements import PAYLOADS

from .snapshot import Snapshot
from .walk import Finding

HELD_BYTES = 256 * 1024 * 1024
_BLOB = "SELECT recipe, data FROM observability_blob WHERE digest = ?"
Row = dict[str, Any]


class BodyCheck:
    """Reports what is missing or damaged. `check` looks at one call, `blobs` at all blobs."""

    def __init__(self, snapshot: Snapshot, report: Callable[[Finding], None]) -> None:
        self.bodies = 0
        self._snapshot = snapshot
        self._report = report
        self._known = {bytes(digest) for (digest,) in snapshot.read("SELECT digest FROM observability_blob")}
        self._held: OrderedDict[bytes, bytes] = OrderedDict()
        self._held_bytes = 0

    def check(self, call: Row, blocks: list[Row]) -> None:
        """The bodies of a call and the arguments of its blocks; those that are blobs have to be there."""
        name, at = f"call {call['id']}", call["started_at"]
        digests = [call[payload] for payload in PAYLOADS]
        try:
            packed = packing.recipes(digests, (call["opening_bodies"], call["closing_bodies"]))
        except PayloadDamaged as error:
            self._report(Finding(f"{name}: its bodies are damaged: {error}", at))
            return
        for payload, digest in zip(PAYLOADS, digests, strict=True):
            if digest is None:
                continue
            self.bodies += 1
            try:
                if digest in packed:
                    recipes.assemble(digest, lambda needed: self._load(needed, packed))
                elif digest not in self._known:
                    raise PayloadDamaged("its blob is gone")
            except PayloadDamaged as error:
                self._report(Finding(f"{name}: {payload} is damaged: {error}", at))
        for block in blocks:
            content = block["content"]
            if content is not None and block["arguments"] is None and call["nonces"] and content not in self._known:
                self._report(Finding(f"{name}: the arguments of block {block['position']} are gone", at))

    def blobs(self) -> Iterator[int]:
        """Put every blob together and compare it with its name; yields how many were looked at."""
        for page in self._snapshot.table("observability_blob", ("digest", "recipe"), "digest"):
            for row in page:
                digest = bytes(row["digest"])
                try:
                    self._hold(digest, recipes.assemble(digest, lambda needed: self._load(needed, {})))
                except PayloadDamaged as error:
                    self._report(Finding(f"blob {digest.hex()}: {error}"))
            yield len(page)

    def _load(self, digest: bytes, packed: dict[bytes, bytes]) -> tuple[bool, bytes]:
        if digest in packed:
            return True, packed[digest]
        if (held := self._held.get(digest)) is not None:
            self._held.move_to_end(digest)
            return False, held
        found = self._snapshot.read(_BLOB, (digest,))
        if not found:
            raise PayloadDamaged(f"blob {digest.hex()} is gone")
        try:
            return bool(found[0][0]), decompress(bytes(found[0][1]))
        except zstandard.ZstdError as error:
            raise PayloadDamaged(f"blob {digest.hex()} cannot be decompressed") from error

    def _hold(self, digest: bytes, raw: bytes) -> None:
        self._held[digest] = raw
        self._held_bytes += len(raw)
        while self._held_bytes > HELD_BYTES:
            _, dropped = self._held.popitem(last=False)
            self._held_bytes -= len(dropped)
