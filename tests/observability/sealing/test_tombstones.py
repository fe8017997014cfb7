from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from observability.sealing.statement import public_bytes
from observability.sealing.tombstones import Range, bury, read

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RANGES = [Range("boot_a", 3, 7, b"\1" * 32), Range("boot_b", 1, 1, b"\2" * 32)]


def test_a_tombstone_says_what_went_and_who_signed() -> None:
    assert read(bury("removed", RANGES, KEY)) == ("removed", RANGES, public_bytes(KEY))


@pytest.mark.parametrize(
    "change",
    [
        {"tombstone": "erased"},
        {"leaves": [["boot_a", 3, 8, "01" * 32]]},
        {"key": public_bytes(Ed25519PrivateKey.generate()).hex()},
        {"signature": "00" * 64},
        {"signature": 1},
        {"leaves": [["boot_a"]]},
    ],
)
def test_a_tombstone_that_was_changed_is_none(change: dict[str, Any]) -> None:
    assert read(bury("removed", RANGES, KEY) | change) is None


def test_what_commits_to_something_else_is_none() -> None:
    assert read({"rows": {}}) is None
