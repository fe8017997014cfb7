import os
from pathlib import Path

import pytest

from luthien_site import bootstrap
from luthien_site.bench import litellm_proxy, scenarios
from luthien_site.bench.client import CallFailed
from luthien_site.bench.measure import Figures, Target
from luthien_site.bench.report import BLOCKING, DIRECT, IN_PROCESS, LUTHIEN, MODES, NO_POLICY, RELAY, STACKS
from luthien_site.bench.run import Plan, run
from luthien_site.bench.scenarios import Scenario

pytestmark = pytest.mark.usefixtures("forked_children")


def test_a_quick_run_measures_real_gateways_and_leaves_nothing_behind(tmp_path: Path) -> None:
    said: list[str] = []
    cores = os.sched_getaffinity(0)
    results = run(Plan(tmp_path / "bench", scenarios.quick(), rounds=1, peers=False), said.append)
    assert results.targets() == [DIRECT, RELAY, LUTHIEN, NO_POLICY, *STACKS, BLOCKING, *MODES, IN_PROCESS]
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
    for name in (NO_POLICY, *STACKS):
        assert results.median("policies_calls", name, "cpu_us_per_call")
        assert results.median("policies_events", name, "events_per_s")
    for name in (BLOCKING, *MODES):
        assert results.median("record_calls", name, "calls_per_s")
        assert results.median("record_latency", name, "added_ms_p50") is not None
    assert results.median("record_session", NO_POLICY, "times_less_than_zstd")
    assert results.median("index", NO_POLICY, "worker_us_per_call")
    assert results.median("shell_parse", IN_PROCESS, "us_p50")
    assert results.median("sql_parse", IN_PROCESS, "us_p50")
    assert results.median("shell_parse", LUTHIEN, "us_p50") is None
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
