"""The key that signs seals and tombstones."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from .statement import public_bytes


def signing_key() -> Ed25519PrivateKey:
    """This installation's, as LUTHIEN_SIGNING_KEY or the data directory has it."""
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.LUTHIEN_SIGNING_KEY))


def public_key() -> bytes:
    """The 32 bytes that verify what this installation signs."""
    return public_bytes(signing_key())
