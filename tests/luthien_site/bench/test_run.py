import os
from pathlib import Path

import pytest

from luthien_site import bootstrap
from luthien_site.bench import litellm_proxy, scenarios
from luthien_site.bench.client import CallFailed
from luthien_site.bench.measure import Figures, Target
from luthien_site.bench.report import DIRECT, LUTHIEN, RELAY
from luthien_site.bench.run import NO_POLICY, Plan, run
from luthien_site.bench.scenarios import Scenario


def test_a_quick_run_measures_real_gateways_and_leaves_nothing_behind(tmp_path: Path) -> None:
    said: list[str] = []
    cores = os.sched_getaffinity(0)
    results = run(Plan(tmp_path / "bench", scenarios.quick(), rounds=1, peers=False), said.append)
    assert results.targets() == [DIRECT, RELAY, LUTHIEN, NO_POLICY]
    assert results.median("first_event", RELAY, "added_ms_p50") is not None
    for name in (LUTHIEN, NO_POLICY):
        assert results.median("calls_4", name, "calls_per_s")
        assert results.median("calls_4", name, "cpu_us_per_call")
        assert results.median("latency", name, "added_ms_p50") is not None
        assert results.median("first_event", name, "added_ms_p50") is not None
        assert results.median("paced", name, "events_per_s")
        assert results.median("memory", name, "mb_with_streams")
        assert results.median("responses_4", name, "calls_per_s")
        assert results.median("cross_4", name, "calls_per_s")
    assert results.median("litellm_1", LUTHIEN, "calls_per_s")
    assert results.median("litellm_1", NO_POLICY, "calls_per_s") is None
    assert "left out" in results.notes[-1]
    assert list((tmp_path / "bench").iterdir()) == []
    assert os.sched_getaffinity(0) == cores
    assert any("round 1" in line for line in said)


def test_a_peer_that_cannot_be_had_is_a_sentence_and_a_call_that_fails_names_its_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(place: bootstrap.Place, folder: Path) -> Path:
        raise litellm_proxy.NotInstalled("LiteLLM's proxy is left out: no network.")

    async def measured(target: Target) -> Figures:
        if target.name == NO_POLICY:
            raise CallFailed("answered 500")
        return {"calls_per_s": 1.0}

    monkeypatch.setattr(litellm_proxy, "install", cannot)
    with pytest.raises(CallFailed, match="A scenario, no policy: answered 500"):
        run(Plan(tmp_path / "bench", [Scenario("one", "A scenario", measured)], rounds=1), lambda line: None)
    assert list((tmp_path / "bench").iterdir()) == []
