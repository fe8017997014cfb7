import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from observability.sealing.signature import is_of, sign
from observability.sealing.statement import public_bytes

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = public_bytes(KEY)
SIGNATURE = sign("a kind", b"said", KEY)


def test_a_document_is_signed_by_its_key() -> None:
    assert is_of(PUBLIC, SIGNATURE, "a kind", b"said")


def test_another_document_kind_or_key_is_not() -> None:
    assert not is_of(PUBLIC, SIGNATURE, "a kind", b"said more")
    assert not is_of(PUBLIC, SIGNATURE, "another kind", b"said")
    assert not is_of(public_bytes(Ed25519PrivateKey.generate()), SIGNATURE, "a kind", b"said")


@pytest.mark.parametrize(
    "written", [b"", b"\n", SIGNATURE.strip(), SIGNATURE.upper(), b" " + SIGNATURE, b"zz\n", b"\xff" * 10]
)
def test_a_signature_is_written_in_one_way(written: bytes) -> None:
    assert not is_of(PUBLIC, written, "a kind", b"said")
