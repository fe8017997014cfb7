"""What a report says of itself: a JSON document that names every file of the archive, and a signature over it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from observability.sealing import signature as signatures
from observability.sealing.heads import Head, Heads
from observability.sealing.statement import NotASeal, Seal, public_bytes

KIND = "luthien report 1"
MANIFEST, SIGNATURE, RECORD = "manifest.json", "manifest.sig", "record.jsonl"
"""The files that every archive has: the third holds what is on record of all that the report stands on."""


class NotAManifest(ValueError):
    """A document that is no manifest."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the archive: its size in bytes, and SHA-256 in hex."""

    name: str
    size: int
    sha256: str


def write(facts: Mapping[str, Any], files: Iterable[File], key: Ed25519PrivateKey) -> tuple[bytes, bytes]:
    """The manifest and its signature as they stand in the archive.

    `facts` are JSON: report, title, by, asked_at, made_at, since, until, filters, teams, contents, rows, calls, events,
    policies, seal (the line of the seal that it stands on, or None) and heads ([[chain, sequence, value in hex]], those
    of that seal).
    """
    listed = [{"name": each.name, "size": each.size, "sha256": each.sha256} for each in files]
    said = {"kind": KIND, **facts, "files": listed, "key": public_bytes(key).hex()}
    raw = orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
    return raw, signatures.sign(KIND, raw, key)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read. `facts` is all of it; `raw` are the bytes that were signed."""

    raw: bytes
    facts: Mapping[str, Any]
    files: tuple[File, ...]
    key: bytes
    seal: Seal | None
    heads: tuple[Head, ...]

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Raises NotAManifest."""
        try:
            facts = orjson.loads(raw)
            if facts["kind"] != KIND:
                raise NotAManifest("it is of a kind that is not known here")
            files = tuple(File(str(each["name"]), int(each["size"]), str(each["sha256"])) for each in facts["files"])
            heads = tuple(Head(str(name), int(at), bytes.fromhex(value)) for name, at, value in facts["heads"])
            seal = Seal.read(facts["seal"]) if facts["seal"] else None
            return cls(raw, facts, files, bytes.fromhex(facts["key"]), seal, heads)
        except NotASeal as error:
            raise NotAManifest("the seal in it is none") from error
        except (KeyError, TypeError, ValueError) as error:
            raise NotAManifest("it cannot be read") from error

    def is_signed(self, signature: bytes) -> bool:
        """Whether `signature`, as it stands in the archive, is one of `key` over this manifest."""
        return signatures.is_of(self.key, signature, KIND, self.raw)

    @property
    def is_under_seal(self) -> bool:
        """Whether the heads are those that the seal signed."""
        return self.seal is not None and Heads(self.heads).root == self.seal.root


def digest_of(chunks: Iterable[bytes]) -> tuple[int, str]:
    """Size and SHA-256, in hex, of bytes that come in chunks."""
    size, digest = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
    return size, digest.hexdigest()
