import threading
from collections.abc import Iterator

import pytest

from gateway import prices
from gateway.once import Once
from policies.content import Usage

ENTRIES = {
    "sonnet": {
        "input_cost_per_token": 3e-6,
        "output_cost_per_token": 15e-6,
        "cache_read_input_token_cost": 3e-7,
        "cache_creation_input_token_cost": 3.75e-6,
        "input_cost_per_token_above_200k_tokens": 6e-6,
        "output_cost_per_token_above_200k_tokens": 22.5e-6,
    },
    "plain": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6},
    "plain-2025-08-07": {"input_cost_per_token": 5e-6, "output_cost_per_token": 5e-6},
    "picture": {"output_cost_per_image": 1.0},
    "odd": "nothing",
}


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = {name: found for name, entry in ENTRIES.items() if (found := prices._prices(entry))}
    monkeypatch.setattr(prices, "_table", known)
    prices._names.cache_clear()
    yield
    prices._names.cache_clear()


def test_cache_reads_and_writes_have_prices_of_their_own() -> None:
    usage = Usage(input_tokens=1000, output_tokens=100, cache_read_tokens=10_000, cache_write_tokens=2000)
    assert prices.cost("sonnet", usage) == 3000 + 1500 + 3000 + 7500


def test_cache_tokens_without_a_price_cost_what_input_does() -> None:
    assert prices.cost("plain", Usage(cache_read_tokens=10, cache_write_tokens=10)) == 20


def test_long_inputs_have_the_long_price_where_there_is_one() -> None:
    assert prices.cost("sonnet", Usage(input_tokens=200_001, output_tokens=10)) == 200_001 * 6 + 225
    assert prices.cost("plain", Usage(input_tokens=200_001)) == 200_001


@pytest.mark.parametrize(
    "name",
    ["sonnet", "anthropic/sonnet", "sonnet-20250929", "sonnet@20250929", "a/b/sonnet-2025-09-29", "sonnet-latest"],
)
def test_a_model_is_found_by_variants_of_its_name(name: str) -> None:
    assert prices.cost(name, Usage(input_tokens=1000)) == 3000


def test_a_date_that_is_listed_has_its_own_price() -> None:
    assert prices.cost("plain-2025-08-07", Usage(input_tokens=1)) == 5


@pytest.mark.parametrize("name", ["nobody", "picture", "odd", "", "sonnet-2"])
def test_what_has_no_price_has_no_cost(name: str) -> None:
    assert prices.cost(name, Usage(input_tokens=1)) is None


def test_until_the_list_is_loaded_there_is_no_cost_and_loading_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()
    monkeypatch.setattr(prices, "_table", None)
    monkeypatch.setattr(prices, "_loading", Once("prices", prices._load_logged))
    monkeypatch.setattr(prices, "load", begun.set)
    assert prices.cost("sonnet", Usage(input_tokens=1)) is None
    assert begun.wait(10)


def test_the_real_list_knows_the_models_people_use_and_litellm_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess
    import sys

    program = (
        "import sys; from gateway import prices; from policies.content import Usage; prices.load(); "
        "found = [prices.cost(name, Usage(1000, 1000)) for name in ('claude-sonnet-4-5-20250929', 'gpt-5-mini')]; "
        "assert all(found), found; assert 'litellm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_list_that_cannot_be_read_is_logged_and_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(prices, "_FILE", "no such file")
    prices._load_logged()
    assert "price list cannot be read" in caplog.text
