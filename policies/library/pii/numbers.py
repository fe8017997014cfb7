"""Check digits, and other rules that numbers of persons, cards and accounts obey. Pure.

Numbers come as texts of their letters and digits alone.
"""

from __future__ import annotations

import re
from collections import Counter

_NOBODYS_SSN = re.compile(r"000|666|9..")
_NOBODYS_NINO = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})
_CARD = re.compile(
    r"4(?:.{12}|.{15}|.{18})|(?:5[1-5]|2[2-7]).{14}|3[47].{13}|3(?:0[0-5]|[689].).{11}|35.{14}|(?:6011|65..|64[4-9].).{12}"
    r"|62.{14,17}|(?:50|5[6-9]|6[37]).{10,17}"
)
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
IBAN_LENGTHS = {
    name: length
    for length, names in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ DZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for name in names.split()
}
"""How many characters an account number has, by its country."""


def is_card(digits: str) -> bool:
    """A length and beginning that issuers use, and Luhn's check digit."""
    return _CARD.fullmatch(digits) is not None and luhn(digits)


def luhn(digits: str) -> bool:
    data = digits.encode()
    return (sum(data[-1::-2]) + sum(data[-2::-2].translate(_DOUBLED)) - ord("0") * len(data)) % 10 == 0


def is_iban(text: str) -> bool:
    """A length that its country uses, and a remainder of 1 by 97."""
    if IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def is_ssn(digits: str) -> bool:
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return not _NOBODYS_SSN.fullmatch(area) and group != "00" and serial != "0000"


def is_nino(text: str) -> bool:
    return text[:2] not in _NOBODYS_NINO


def is_de_tax_id(digits: str) -> bool:
    """Of the first ten digits one stands there twice or three times; the last is ISO 7064's check, mod 11, 10."""
    often = Counter(digits[:10]).most_common(2)
    if digits[0] == "0" or often[0][1] not in (2, 3) or often[1][1] > 1:
        return False
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def is_nir(text: str) -> bool:
    """Two digits at the end make it a multiple of 97; Corsica's letters count as numbers."""
    number = text[:13].replace("2A", "19", 1).replace("2B", "18", 1)
    return text.isalnum() and number.isdigit() and text[13:].isdigit() and (int(number) + int(text[13:])) % 97 == 0


def is_bsn(digits: str) -> bool:
    weighted = sum(int(digit) * weight for digit, weight in zip(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return digits != "000000000" and weighted % 11 == 0
