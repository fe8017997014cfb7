"""The signature beside a document that leaves, such as the manifest of a report or of a backup. Pure."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .statement import is_signed


def sign(kind: str, document: bytes, key: Ed25519PrivateKey) -> bytes:
    """The signature as it stands in a file: a line of hex. It holds for a document of this `kind` and of no other."""
    return _line(key.sign(_message(kind, document)))


def is_of(key: bytes, signature: bytes, kind: str, document: bytes) -> bool:
    """Whether `signature`, a line of hex, is one of `key`, 32 bytes, over a document of this `kind`."""
    try:
        raw = bytes.fromhex(signature.decode("ascii"))
    except ValueError:
        return False
    return signature == _line(raw) and is_signed(_message(kind, document), raw, key)


def _message(kind: str, document: bytes) -> bytes:
    # Else a backup's manifest might be passed off as a report's.
    return f"{kind}\n".encode() + document


def _line(signature: bytes) -> bytes:
    return signature.hex().encode() + b"\n"
