"""Values that look random, where something is set that is called a password, a token or the like. Pure."""

from __future__ import annotations

from collections import Counter
from math import log2

from policies.matching.finders import Finder
from policies.matching.shapes import any_case, captured, chars, one_of, sequence

from .placeholders import is_placeholder

_NAMES = (
    *("password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "private_key", "private-key"),
    *("api_key", "api-key", "apikey", "access_key", "access-key", "accesskey", "auth_key", "auth-key", "authkey"),
    *("signing_key", "encryption_key", "account_key", "client_key", "webhook_key", "passwort", "contraseña"),
)
_VALUE = r"^\s\"'`,;(){}\[\]<>$\\"
_QUOTE = chars(r"\\\"'`", 0, 2)
_SHAPE = any_case(
    sequence(
        one_of(*_NAMES),
        chars("A-Za-z0-9_-", 0, 20),
        _QUOTE,
        chars(r" \t", 0, 4),
        one_of(":=", "=>", "==", "=", ":"),
        chars(r" \t", 0, 4),
        _QUOTE,
        captured(chars(_VALUE, 8, 64)),
    )
)


def assigned(min_entropy: float) -> Finder:
    """A finder of values with letters and digits and at least `min_entropy` bits a character."""

    def check(data: bytes, start: int, end: int) -> tuple[int, int] | None:
        value = data[start:end].decode()
        if data[end : end + 1] in (b"(", b"[") or not _mixed(value) or is_placeholder(value):
            return None
        return (start, end) if entropy(value) >= min_entropy else None

    return Finder("assigned", _SHAPE, check, follow=_VALUE)


def entropy(text: str) -> float:
    """Bits a character, by how often each stands in `text`."""
    return -sum(count / len(text) * log2(count / len(text)) for count in Counter(text).values())


def _mixed(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))
