"""Where personal data may stand, and what makes it sure that it does. Pure.

Checks look at what a shape matched, and no further: what is longer than the number is cut off where a group ends.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from policies.matching.finders import Check, Finder
from policies.matching.shapes import (
    EDGE,
    any_case,
    captured,
    chars,
    either,
    literal,
    maybe,
    one_of,
    repeated,
    sequence,
)

from . import numbers
from .kinds import Kind

_DIGIT = chars("0-9", 1, 1)
_GAP = maybe(chars(r" .\-", 1, 1))
_DASH = chars(r" \-", 1, 1)
_SPACE = maybe(chars(" ", 1, 1))
_ALNUM = re.compile(rb"[0-9A-Za-z]")
_NOT_ALNUM = re.compile(rb"[^0-9A-Za-z]")
_CODES = re.compile(
    r"1|7|2[07]|2[1-689]\d|3[0-469]|3[578]\d|4[013-9]|42\d|5[1-8]|5[09]\d|6[0-6]|6[7-9]\d|8[1246]|8[0578]\d|9[0-58]|9[679]\d"
)
"""The calling codes of countries, or what they are chosen from."""


def _exactly(is_one: Callable[[str], bool]) -> Check:
    """All of it is one."""

    def check(data: bytes, start: int, end: int) -> tuple[int, int] | None:
        return (start, end) if is_one(_bare(data[start:end])) else None

    return check


def _beginning(is_one: Callable[[str], bool], least: int) -> Check:
    """It begins with one, of at least so many letters and digits, which ends where a group does; the longest counts."""

    def check(data: bytes, start: int, end: int) -> tuple[int, int] | None:
        ends = [start + found.end() for found in _ALNUM.finditer(data[start:end])]
        bare = _bare(data[start:end])
        for count in range(len(ends), least - 1, -1):
            stop = ends[count - 1]
            if not data[stop : stop + 1].isalnum() and is_one(bare[:count]):
                return start, stop
        return None

    return check


def _bare(found: bytes) -> str:
    return _NOT_ALNUM.sub(b"", found).decode().upper()


def _iban(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """As long as its country says, whatever word stands behind it."""
    length = numbers.IBAN_LENGTHS.get(data[start : start + 2].decode().upper(), 99)
    return _beginning(numbers.is_iban, length)(data, start, end)


def _email(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """A whole one: what is left of one that may pass is none."""
    found = data[start:end].rstrip(b".-")
    *labels, top = found.rpartition(b"@")[2].split(b".")
    real = bool(labels) and all(labels) and len(top) > 1 and top.isalpha()
    return (start, start + len(found)) if real and not _follows(data, start, b"._%+-") else None


def _phone(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """What follows a plus, or 00 in groups: 8 to 15 digits behind the code of a country."""
    zeros = data[start : start + 1] == b"0"
    if _follows(data, start, b"+-./") or (zeros and not _NOT_ALNUM.search(data[start:end].strip())):
        return None

    def is_one(digits: str) -> bool:
        number = digits[2:] if zeros else digits
        return 8 <= len(number) <= 15 and _CODES.match(number) is not None

    return _beginning(is_one, 8)(data, start, end)


def _us_phone(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    return None if _follows(data, start, b"+-./") else (start, end)


def _ip(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    found = data[start:end].rstrip(b".:")
    try:
        address = ipaddress.ip_address(found.decode())
    except ValueError:
        return None
    return None if address.version == 6 and _follows(data, start, b":") else (start, start + len(found))


def _follows(data: bytes, start: int, others: bytes) -> bool:
    """Whether a letter, a digit or one of `others` stands right before."""
    before = data[start - 1 : start] if start else b""
    return before.isalnum() or (before != b"" and before in others)


_EMAIL = sequence(chars(r"A-Za-z0-9._%+\-", 1, 64), literal("@"), chars(r"A-Za-z0-9.\-", 4, 190))
_PHONE = sequence(one_of("+", "00"), chars(r" (", 0, 2), repeated(sequence(chars(r" .\-/()", 0, 2), _DIGIT), 8, 20))
_US_PHONE = sequence(
    maybe(literal("(")),
    chars("2-9", 1, 1),
    chars("0-9", 2, 2),
    either(sequence(literal(")"), _SPACE), chars(r".\-", 1, 1)),
    chars("2-9", 1, 1),
    chars("0-9", 2, 2),
    chars(r" .\-", 1, 1),
    chars("0-9", 4, 4),
    EDGE,
)
_CARD = sequence(
    EDGE,
    chars("2-6", 1, 1),
    chars("0-9", 3, 3),
    either(
        chars("0-9", 8, 15),
        sequence(repeated(sequence(_DASH, chars("0-9", 4, 4)), 3, 3), maybe(sequence(_DASH, chars("0-9", 3, 3)))),
        sequence(_DASH, chars("0-9", 6, 6), _DASH, chars("0-9", 4, 5)),
    ),
    EDGE,
)
_IBAN = sequence(
    EDGE,
    chars("A-Za-z", 2, 2),
    chars("0-9", 2, 2),
    repeated(sequence(maybe(_DASH), chars("A-Za-z0-9", 4, 4)), 2, 7),
    maybe(sequence(maybe(_DASH), chars("A-Za-z0-9", 1, 3))),
)
_SSN = sequence(
    EDGE, chars("0-8", 1, 1), chars("0-9", 2, 2), _DASH, chars("0-9", 2, 2), _DASH, chars("0-9", 4, 4), EDGE
)
_NINO = any_case(
    sequence(
        EDGE,
        chars("A-CEGHJ-PR-TW-Z", 1, 1),
        chars("A-CEGHJ-NPR-TW-Z", 1, 1),
        repeated(sequence(_SPACE, chars("0-9", 2, 2)), 3, 3),
        _SPACE,
        chars("A-D", 1, 1),
        EDGE,
    )
)
_TAX_ID = sequence(
    EDGE, chars("1-9", 1, 1), chars("0-9", 1, 1), repeated(sequence(_SPACE, chars("0-9", 3, 3)), 3, 3), EDGE
)
_NIR = sequence(
    EDGE,
    chars("1-478", 1, 1),
    repeated(sequence(_SPACE, chars("0-9", 2, 2)), 2, 2),
    sequence(_SPACE, chars("0-9", 1, 1), chars("0-9ABab", 1, 1)),
    repeated(sequence(_SPACE, chars("0-9", 3, 3)), 2, 2),
    sequence(_SPACE, chars("0-9", 2, 2)),
    EDGE,
)
_BSN = sequence(
    any_case(one_of("bsn", "burgerservicenummer", "sofinummer", "sofi-nummer")),
    chars(r"^0-9\n", 0, 20),
    captured(sequence(_DIGIT, repeated(sequence(_GAP, _DIGIT), 8, 8))),
    EDGE,
)
_IPV4 = sequence(EDGE, repeated(sequence(chars("0-9", 1, 3), literal(".")), 3, 3), chars("0-9", 1, 3), EDGE)
_IPV6 = sequence(chars("0-9a-fA-F", 0, 4), literal(":"), chars("0-9a-fA-F:", 1, 35), chars("0-9.", 0, 15))

FINDERS: dict[Kind, tuple[Finder, ...]] = {
    "email": (Finder("email", _EMAIL, _email),),
    "phone": (Finder("phone", _PHONE, _phone), Finder("phone", _US_PHONE, _us_phone)),
    "card": (Finder("card", _CARD, _exactly(numbers.is_card)),),
    "iban": (Finder("iban", _IBAN, _iban),),
    "us_ssn": (Finder("us_ssn", _SSN, _exactly(numbers.is_ssn)),),
    "uk_nino": (Finder("uk_nino", _NINO, _exactly(numbers.is_nino)),),
    "de_tax_id": (Finder("de_tax_id", _TAX_ID, _exactly(numbers.is_de_tax_id)),),
    "fr_nir": (Finder("fr_nir", _NIR, _exactly(numbers.is_nir)),),
    "nl_bsn": (Finder("nl_bsn", _BSN, _exactly(numbers.is_bsn)),),
    "ip": (Finder("ip", _IPV4, _ip), Finder("ip", _IPV6, _ip)),
}
