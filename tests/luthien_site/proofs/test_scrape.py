from luthien_site.proofs.scrape import value

SAID = "# HELP luthien_spill_bytes Size.\nluthien_spill_bytes 1.5e+06\nluthien_spill_bytes_total 3\n"


def test_a_metric_is_found_by_its_whole_name() -> None:
    assert value(SAID, "luthien_spill_bytes") == 1_500_000
    assert value(SAID, "spill_bytes") == 0.0
