"""Whatever is changed in an archive is found, without a database."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from observability.reports.manifest import MANIFEST, RECORD, SIGNATURE, File, digest_of, write
from observability.sealing.keys import public_key, signing_key
from observability.verification.report import verify
from tests.observability.reports.conftest import archive, built, checked

pytestmark = pytest.mark.django_db(transaction=True)

Files = dict[str, bytes]
_made: list[bytes] = []


@pytest.fixture
def raw(request: pytest.FixtureRequest) -> bytes:
    """An archive with the bodies of all calls: made once, for no test needs its database."""
    if not _made:
        request.getfixturevalue("recorded")
        _made.append(archive(built(contents=True)))
    return _made[0]


def unpacked(raw: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(raw)) as file:
        return {name: file.read(name) for name in file.namelist()}


def packed(files: Files) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return made.getvalue()


def wrong(raw: bytes) -> str:
    """All that is found."""
    return "\n".join(finding.what for finding in checked(raw).findings)


def signed_anew(files: Files, key: Ed25519PrivateKey, **facts: Any) -> bytes:
    """The archive with these files, as somebody with a key would make it."""
    said = orjson.loads(files[MANIFEST]) | facts
    listed = [File(name, *digest_of([raw])) for name, raw in files.items() if name not in (MANIFEST, SIGNATURE)]
    manifest, signature = write(said, listed, key)
    return packed({**files, MANIFEST: manifest, SIGNATURE: signature})


def test_packing_alone_changes_nothing(raw: bytes) -> None:
    assert wrong(packed(unpacked(raw))) == ""


@pytest.mark.parametrize("name", ["rows.csv", "rows.xlsx", "rows.jsonl", "report.html", RECORD])
def test_an_edit_a_removal_and_a_byte_more_of_each_file_are_found(raw: bytes, name: str) -> None:
    files = unpacked(raw)
    flipped = bytes([files[name][0] ^ 1]) + files[name][1:]
    assert f"{name} was edited" in wrong(packed({**files, name: flipped}))
    assert f"{name} was edited" in wrong(packed({**files, name: files[name] + b"\n"}))
    assert name in wrong(packed({other: content for other, content in files.items() if other != name}))


def test_an_edit_of_the_manifest_or_its_signature_is_found(raw: bytes) -> None:
    files = unpacked(raw)
    for old, new in ((b'"by": "ada"', b'"by": "eve"'), (b"\n}", b"\n }"), (b'"rows": 6', b'"rows": 5')):
        assert old in files[MANIFEST]
        assert "not what was signed" in wrong(packed({**files, MANIFEST: files[MANIFEST].replace(old, new, 1)}))
    signature = files[SIGNATURE]
    for other in (signature.upper(), signature + b"\n", b"0" * 128 + b"\n", b"", b"no hex", b"\xff"):
        assert "not what was signed" in wrong(packed({**files, SIGNATURE: other}))
    for missing in (MANIFEST, SIGNATURE):
        left = {name: content for name, content in files.items() if name != missing}
        assert f"{missing} is missing" in wrong(packed(left))
    for odd in (b"[]", b"{}", b"no JSON", b'{"kind": "luthien report 2"}'):
        assert "the manifest: it " in wrong(packed({**files, MANIFEST: odd}))


def test_what_was_put_in_is_found(raw: bytes) -> None:
    files = unpacked(raw)
    assert "'evil.csv' was put in" in wrong(packed({**files, "evil.csv": b"x"}))
    assert "belongs to no file" in wrong(b"hidden" + raw)
    assert wrong(raw + b"hidden") != ""
    twice = io.BytesIO(raw)
    with pytest.warns(UserWarning), zipfile.ZipFile(twice, "a") as file:
        file.writestr("rows.csv", files["rows.csv"])
    assert "'rows.csv' is there more than once" in wrong(twice.getvalue())
    hole = io.BytesIO(raw)
    with zipfile.ZipFile(hole, "a") as file:
        file.writestr("evil.csv", b"x")
        file.filelist.pop()
        file.NameToInfo.pop("evil.csv")
    assert "belongs to none" in wrong(hole.getvalue())


def test_an_archive_that_is_cut_or_none_is_damaged(raw: bytes) -> None:
    assert "the archive is damaged" in wrong(raw[: len(raw) // 2])
    assert "the archive is damaged" in wrong(b"")
    assert wrong(raw[:200] + b"\0" * 50 + raw[250:]) != ""


def test_a_key_that_is_not_trusted_proves_nothing(raw: bytes) -> None:
    other = Ed25519PrivateKey.generate()
    found = wrong(signed_anew(unpacked(raw), other))
    assert "which is not trusted" in found
    assert "is not trusted" in verify(io.BytesIO(raw), [bytes(32)]).findings[0].what


CHANGES: dict[str, tuple[Callable[[list[dict[str, Any]]], object], str]] = {
    "a field": (lambda lines: lines[0]["call"].update(team="other"), "call_0 is not what its leaf says"),
    "a verdict": (lambda lines: lines[0]["decisions"][0].update(action="allow"), "call_0 is not what its leaf says"),
    "a verdict taken out": (lambda lines: lines[0]["decisions"].pop(), "call_0 is not what its leaf says"),
    "a reason": (lambda lines: lines[0]["decisions"][0].update(reason="good"), "notes or evidence that are not in"),
    "a header": (lambda lines: lines[0]["call"].update(request_headers=[]), "notes or evidence that are not in"),
    "a late verdict": (lambda lines: lines[4]["late"][0]["decision"].update(action="block"), "a late verdict that"),
    "a body": (
        lambda lines: lines[0]["bodies"]["response_final"].update(text="what nobody got"),
        "call_0 has a response_final that is not what its digest says",
    ),
    "a body and its digest": (
        lambda lines: lines[0]["bodies"].update(response_final=dict(lines[0]["bodies"]["response_original"])),
        "call_0 has a response_final whose digest is not in its leaf",
    ),
    "a commitment": (lambda lines: lines[0]["call"].update(commitments="00" * 160), "call_0 is not what its leaf says"),
    "a call taken out": (lambda lines: lines.pop(0), "it stands on 6 calls, and has 5"),
    "a call twice": (lambda lines: lines.append(lines[0]), "and so is another"),
    "a line that is none": (lambda lines: lines[0].pop("place"), "a line cannot be read"),
    "the place in the chain": (lambda lines: lines[1]["place"].__setitem__(2, "00" * 32), "does not follow the one"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_even_signed_anew_what_its_leaf_does_not_say_is_found(raw: bytes, what: str) -> None:
    change, found = CHANGES[what]
    files = unpacked(raw)
    lines = [orjson.loads(line) for line in files[RECORD].splitlines()]
    change(lines)
    files[RECORD] = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    assert found in wrong(signed_anew(files, signing_key()))


def test_the_seal_and_its_chains_belong_together(raw: bytes) -> None:
    files = unpacked(raw)
    facts = orjson.loads(files[MANIFEST])
    line = orjson.loads(facts["seal"])
    heads = facts["heads"]
    assert "are not those of seal 2" in wrong(signed_anew(files, signing_key(), heads=heads[:1]))
    moved = [[name, sequence, "00" * 32] for name, sequence, _ in heads]
    assert "is not the one that the seal covers" in wrong(signed_anew(files, signing_key(), heads=moved))
    line["signature"] = "00" * 64
    edited = orjson.dumps(line).decode()
    assert "not signed by a key that is trusted" in wrong(signed_anew(files, signing_key(), seal=edited))
    assert "the seal in it is none" in wrong(signed_anew(files, signing_key(), seal="{}"))
    assert wrong(signed_anew(files, signing_key(), seal=None, heads=[])) == ""
    assert public_key().hex() == facts["key"]
