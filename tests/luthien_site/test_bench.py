import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from luthien_site.bench.processes import DidNotStart
from luthien_site.bench.report import Results
from luthien_site.bench.run import Plan
from luthien_site.management.commands import bench


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """What the command would have measured; its figures are made up."""
    given: list[Plan] = []

    def run(plan: Plan, say: object) -> Results:
        given.append(plan)
        return Results({"latency": "Latency"}, {"latency": [{"luthien": {"ms_p50": 1.5}}]}, ["A note."])

    monkeypatch.setattr(bench, "run", run)
    return given


def test_the_report_is_printed_and_written_as_json(
    plans: list[Plan], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("bench", json=tmp_path / "figures.json")
    printed = capsys.readouterr().out
    assert "median, ms" in printed
    assert "A note." in printed
    written: dict[str, Any] = json.loads((tmp_path / "figures.json").read_text())
    assert written["scenarios"]["latency"]["medians"]["luthien"] == {"ms_p50": 1.5}


def test_the_options_make_the_plan(plans: list[Plan]) -> None:
    call_command(
        "bench", "--only", "paced", "--only", "calls_1", "--rounds", "5", "--db", "postgres", "--without-peers"
    )
    call_command("bench", "--quick")
    first, second = plans
    assert [scenario.name for scenario in first.scenarios] == ["calls_1", "paced"]
    assert (first.rounds, first.postgres, first.peers, first.record) == (5, True, False, "blocking")
    assert (second.rounds, second.postgres, second.peers) == (1, False, True)


def test_an_unknown_scenario_is_refused_with_the_names_that_there_are(plans: list[Plan]) -> None:
    with pytest.raises(CommandError, match="There is no scenario speed; there are memory, calls_1"):
        call_command("bench", "--only", "speed")
    assert plans == []


def test_a_gateway_that_does_not_start_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(plan: Plan, say: object) -> Results:
        raise DidNotStart("The gateway did not start.")

    monkeypatch.setattr(bench, "run", fail)
    with pytest.raises(CommandError, match="The gateway did not start"):
        call_command("bench", "--quick")
