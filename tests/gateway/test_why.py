from pytest_django import Settings

from gateway import why


def test_a_link_has_the_proof_of_its_own_call(settings: Settings) -> None:
    settings.LUTHIEN_URL = "https://luthien.example"
    start, proof = why.link("call_1").removesuffix("/").rsplit("/", 1)
    assert start == "https://luthien.example/why/call_1"
    assert len(proof) == 16 and why.is_proof("call_1", proof)
    assert not why.is_proof("call_2", proof)
    assert not why.is_proof("call_1", "")
    assert not why.is_proof("call_1", f"{proof[:-1]}\N{LATIN SMALL LETTER E WITH ACUTE}")


def test_a_proof_is_worth_nothing_under_another_secret(settings: Settings) -> None:
    proof = why.link("call_1").split("/")[-2]
    settings.SECRET_KEY = "another"
    assert not why.is_proof("call_1", proof)
