"""A seal: what is signed, the line that says it, and its verification. Pure.

Each seal names the digest of the one before, so that none can be taken out, and the Merkle root over all chains' heads;
`heads` are those that moved since the one before. The same line of JSON stands in the database, the log and the anchor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .heads import Head

KIND = "luthien seal 1"
START = bytes(32)
"""What the first seal says of the one before."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotASeal(ValueError):
    """A line that is no seal."""


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes by which a key's signatures are verified."""
    return key.public_key().public_bytes_raw()


def is_signed(message: bytes, signature: bytes, key: bytes) -> bool:
    """Whether `signature` is one of `key`, 32 bytes, over `message`."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Seal:
    """`at` is in UTC; `key` the public key's 32 bytes; `digest` names the seal, signature and all."""

    number: int
    at: datetime
    previous: bytes
    root: bytes
    heads: tuple[Head, ...]
    key: bytes
    signature: bytes = b""

    @classmethod
    def make(
        cls, before: Seal | None, at: datetime, root: bytes, heads: Sequence[Head], key: Ed25519PrivateKey
    ) -> Seal:
        """The seal that follows `before`, signed."""
        number, previous = (before.number + 1, before.digest) if before else (1, START)
        draft = cls(number, at, previous, root, tuple(heads), public_bytes(key))
        return cls(number, at, previous, root, draft.heads, draft.key, key.sign(draft.statement))

    @classmethod
    def read(cls, line: str | bytes) -> Self:
        """Raises NotASeal."""
        try:
            said = orjson.loads(line)
            kind, number, at, previous, root, heads, key = said["seal"]
            if kind != KIND or type(number) is not int or type(at) is not int:
                raise NotASeal("this is no seal that is known here")
            return cls(
                number,
                _EPOCH + timedelta(microseconds=at),
                bytes.fromhex(previous),
                bytes.fromhex(root),
                tuple(Head(str(name), int(sequence), bytes.fromhex(chain)) for name, sequence, chain in heads),
                bytes.fromhex(key),
                bytes.fromhex(said["signature"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise NotASeal("this is no seal") from error

    @property
    def line(self) -> str:
        """One line of JSON, without its end."""
        return orjson.dumps({"seal": self._said, "signature": self.signature.hex()}).decode()

    @property
    def statement(self) -> bytes:
        """What is signed."""
        return orjson.dumps(self._said)

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.statement + self.signature).digest()

    @property
    def is_signed(self) -> bool:
        """Whether the signature is one of the key that the seal names; who trusts that key is another question."""
        return is_signed(self.statement, self.signature, self.key)

    @property
    def _said(self) -> list[Any]:
        heads = [[head.name, head.sequence, head.chain.hex()] for head in self.heads]
        at = (self.at - _EPOCH) // timedelta(microseconds=1)
        return [KIND, self.number, at, self.previous.hex(), self.root.hex(), heads, self.key.hex()]
