"""Tombstones: signed statements that leaves of the chain, or the bodies of calls, were removed on purpose. Pure.

A tombstone stands in the `commits` of an audit event, so that the chain of audit events covers it. It is signed with
the key of the seals: whoever can only write to the database cannot pass off a deletion as one of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .statement import is_signed, public_bytes

Kind = Literal["removed", "erased"]
_STATEMENT = "luthien tombstone 1"


class Range(NamedTuple):
    """The leaves `first` to `last` of the chain `name`; `chain` is its value at `last`, from which it goes on."""

    name: str
    first: int
    last: int
    chain: bytes


def bury(kind: Kind, ranges: Iterable[Range], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The `commits` of an audit event which says that these leaves' rows are `removed`, or their bodies `erased`."""
    leaves = [[each.name, each.first, each.last, each.chain.hex()] for each in ranges]
    public = public_bytes(key).hex()
    signature = key.sign(_statement(kind, leaves, public)).hex()
    return {"tombstone": kind, "leaves": leaves, "key": public, "signature": signature}


def read(commits: Mapping[str, Any]) -> tuple[str, list[Range], bytes] | None:
    """Kind, ranges and public key of a tombstone; None if it is none, or its signature is not that key's."""
    try:
        kind, leaves, public = commits["tombstone"], commits["leaves"], commits["key"]
        ranges = [Range(str(name), int(first), int(last), bytes.fromhex(chain)) for name, first, last, chain in leaves]
        key, signature = bytes.fromhex(public), bytes.fromhex(commits["signature"])
    except (KeyError, TypeError, ValueError):
        return None
    return (kind, ranges, key) if is_signed(_statement(kind, leaves, public), signature, key) else None


def _statement(kind: str, leaves: list[Any], public: str) -> bytes:
    return orjson.dumps([_STATEMENT, kind, leaves, public])
