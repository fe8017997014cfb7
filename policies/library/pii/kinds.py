"""The kinds of personal data that are told apart. Pure."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal[
    "email",
    "phone",
    "card",
    "iban",
    "us_ssn",
    "uk_nino",
    "de_tax_id",
    "fr_nir",
    "nl_bsn",
    "ip",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
DEFAULT: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind != "ip")
