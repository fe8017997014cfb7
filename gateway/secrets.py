"""Keys and credentials: made, recognised, hashed and sealed. All of it hangs on LUTHIEN_SECRET_KEY."""

from __future__ import annotations

import base64
import hmac
import secrets
import string
import zlib
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

KEY_PREFIX = "lth_"
SHOWN = 10
"""How many characters of a key may be shown to tell it from others."""
MIN_LENGTH = 16
"""A key that somebody brings along is refused below that."""

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECK = 34, 6


class Unreadable(ValueError):
    """What was sealed cannot be opened: LUTHIEN_SECRET_KEY is another one than then."""


def new_key() -> str:
    """A new API key: the prefix and 40 base62 characters, of which the last six are a checksum."""
    body = KEY_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return body + _checksum(body)


def mistyped(key: str) -> bool:
    """Whether `key` looks like one that `new_key` made, and is not one."""
    if not key.startswith(KEY_PREFIX):
        return False
    body, check = key[:-_CHECK], key[-_CHECK:]
    return len(key) != len(KEY_PREFIX) + _RANDOM + _CHECK or check != _checksum(body)


def digest(key: str) -> str:
    """The keyed hash under which a key is stored: HMAC-SHA256, 64 hex digits."""
    return hmac.digest(_derived("api keys"), key.encode("utf-8", "surrogateescape"), "sha256").hex()


def fingerprint(credential: str) -> str:
    """A name for a credential that is not ours, by which nobody can guess it: 16 hex digits of a keyed hash."""
    return hmac.digest(_derived("fingerprints"), credential.encode("utf-8", "surrogateescape"), "sha256").hex()[:16]


def seal(plain: str) -> bytes:
    """`plain` encrypted and authenticated; the empty string stays empty."""
    return _fernet().encrypt(plain.encode()) if plain else b""


def unseal(sealed: bytes | memoryview) -> str:
    """What `seal` was given. Raises Unreadable."""
    if not sealed:
        return ""
    try:
        return _fernet().decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise Unreadable("it was stored under another LUTHIEN_SECRET_KEY") from None


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, place = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[place] + digits
    return digits


def _fernet() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived("provider credentials")))


def _derived(purpose: str) -> bytes:
    return _derive(settings.SECRET_KEY, purpose)


@cache
def _derive(secret_key: str, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"luthien {purpose}".encode()).derive(secret_key.encode())
