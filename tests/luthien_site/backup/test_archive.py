"""The file of a backup: what was signed is read, and nothing else."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from luthien_site.backup.archive import MANIFEST, SIGNATURE, BadBackup, opened, writing
from luthien_site.backup.restoring import Refused, compare, trust
from observability.sealing.keys import signing_key
from observability.sealing.signature import sign
from observability.sealing.statement import public_bytes

ROWS = [(1, "ann"), (2, None)]
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
Members = dict[str, bytes]


def made(path: Path, key: Ed25519PrivateKey = KEY) -> Path:
    with writing(path, {"at": "2026-01-02"}, key) as writer:
        for _ in writer.table("users", ["id", "name"], ROWS):
            pass
        writer.key("secret_key", "x" * 50)
    return path


def looked_at(path: Path) -> None:
    with opened(path) as reader:
        compare(reader, lambda done, total: None)


def changed(path: Path, change: Callable[[Members], Any]) -> Path:
    """The backup with other members, each whole as archives go."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def said_otherwise(members: Members) -> None:
    members[MANIFEST] = members[MANIFEST].replace(b"2026-01-02", b"2026-01-03")


def said_by_another_kind(members: Members) -> None:
    members[SIGNATURE] = sign("luthien report 1", members[MANIFEST], KEY)


def under_another_key(members: Members) -> None:
    said = orjson.loads(members[MANIFEST])
    members[MANIFEST] = orjson.dumps(said | {"public_key": public_bytes(Ed25519PrivateKey.generate()).hex()})


def test_what_was_written_is_read_and_the_key_that_signed_is_named(tmp_path: Path) -> None:
    path = made(tmp_path / "it")
    looked_at(path)
    with opened(path) as reader:
        assert (list(reader.rows("users")), reader.keys()) == (ROWS, {"secret_key": "x" * 50})
        assert reader.key == public_bytes(KEY)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda members: members.pop(SIGNATURE), "not signed"),
        (lambda members: members.update({SIGNATURE: b"\xff"}), "changed since it was signed"),
        (said_otherwise, "changed since it was signed"),
        (said_by_another_kind, "changed since it was signed"),
        (under_another_key, "changed since it was signed"),
        (lambda members: members.update({MANIFEST: b"{}"}), "another version"),
        (lambda members: members.update({MANIFEST: b"[]"}), "no manifest"),
        (lambda members: members.pop(MANIFEST), "no manifest"),
        (lambda members: members.pop("tables/users.msgpack.zst"), "The table users cannot be read"),
        (lambda members: members.update({"tables/users.msgpack.zst": b""}), "The table users is not what"),
        (lambda members: members.pop("keys/secret_key"), "The key secret_key cannot be read"),
        (lambda members: members.update({"keys/secret_key": b"y" * 50}), "The key secret_key is not what"),
    ],
)
def test_what_was_changed_is_found(tmp_path: Path, change: Callable[[Members], Any], words: str) -> None:
    with pytest.raises(BadBackup, match=words):
        looked_at(changed(made(tmp_path / "it"), change))


def test_a_bit_that_flips_in_any_member_is_found(tmp_path: Path) -> None:
    path = made(tmp_path / "it")
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        places = [info.header_offset + 30 + len(info.filename) for info in archive.infolist()]
    for place in places:
        path.write_bytes(whole[: place + 25] + bytes([whole[place + 25] ^ 1]) + whole[place + 26 :])
        with pytest.raises(BadBackup):
            looked_at(path)


def test_only_this_installation_and_keys_that_are_named_are_trusted(tmp_path: Path) -> None:
    with opened(made(tmp_path / "theirs")) as reader:
        with pytest.raises(Refused, match=f"go on with --key {public_bytes(KEY).hex()}"):
            trust(reader, [public_bytes(Ed25519PrivateKey.generate())])
        trust(reader, [public_bytes(KEY)])
    with opened(made(tmp_path / "ours", signing_key())) as reader:
        trust(reader, [])


def test_what_could_not_be_finished_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "it", {}, KEY):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
