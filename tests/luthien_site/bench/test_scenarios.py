import inspect

from luthien_site.bench import measure, scenarios
from luthien_site.bench.report import BARS


def test_every_bar_is_measured_by_a_scenario() -> None:
    assert {bar.scenario for bar in BARS} <= {scenario.name for scenario in scenarios.full(5.0)}


def test_quick_uses_every_instrument_of_the_full_run() -> None:
    def instruments(chosen: list[scenarios.Scenario]) -> set[str]:
        sources = {scenario.run.__code__.co_names for scenario in chosen}
        return {
            name for names in sources for name in names if inspect.iscoroutinefunction(getattr(measure, name, None))
        }

    assert instruments(scenarios.quick()) == instruments(scenarios.full(5.0))
    assert len(instruments(scenarios.quick())) == 6


def test_names_are_unique() -> None:
    names = [scenario.name for scenario in scenarios.full(5.0)]
    assert len(names) == len(set(names))
