from luthien_site.proofs.registry import MODULES, proofs


def test_every_module_offers_a_proof_under_its_own_name() -> None:
    assert list(proofs()) == list(MODULES)
    assert all(proof.rounds > 0 and proof.claim.endswith(".") for proof in proofs().values())
