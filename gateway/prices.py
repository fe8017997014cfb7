"""What models cost and can, by the list that litellm brings along; it is read without importing litellm."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from gateway.dialects.settings import Model
from gateway.once import Once
from policies.content import Usage

log = logging.getLogger(__name__)

_FILE = "model_prices_and_context_window_backup.json"
_LONG = 200_000
"""Input tokens above which some models have a second price."""
_DATED = re.compile(r"(-\d{4}-\d{2}-\d{2}|[-@]\d{8}|-latest)\Z")


class Price(NamedTuple):
    """Dollars a token."""

    input: float
    output: float
    cache_read: float
    cache_write: float

    def of(self, usage: Usage) -> float:
        return (
            self.input * usage.input_tokens
            + self.output * usage.output_tokens
            + self.cache_read * usage.cache_read_tokens
            + self.cache_write * usage.cache_write_tokens
        )


class Prices(NamedTuple):
    """A model's price, the one for long inputs, and what the list says that it can."""

    usual: Price
    long: Price
    most_output: int | None = None
    reasons: bool = False
    adaptive: bool = False


_table: Mapping[str, Prices] | None = None


def cost(model: str, usage: Usage) -> int | None:
    """Micro-dollars of a call; None for a model without a price, and until the list is loaded in the background.

    A model is found by its name, without its provider's prefix, or without the date behind it.
    """
    if _table is None:
        start()
        return None
    prices = _find(_table, model)
    if prices is None:
        return None
    length = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    return round((prices.long if length > _LONG else prices.usual).of(usage) * 1_000_000)


async def wait() -> None:
    """Returns when the price list is loaded, or was found to be unreadable."""
    if _table is None:
        await asyncio.to_thread(_loading.wait)


def model(name: str) -> Model:
    """What is known of a provider's model; nothing until the list is loaded in the background."""
    known = _find(_table or {}, name)
    return Model(name) if known is None else Model(name, known.most_output, known.reasons, known.adaptive)


def start() -> None:
    """Begin to load the price list in the background, once a process."""
    _loading.start()


def load() -> None:
    """Load the price list now."""
    global _table
    entries = orjson.loads(_path().read_bytes())
    _table = {name: prices for name, entry in entries.items() if (prices := _prices(entry)) is not None}
    _names.cache_clear()


def _find(table: Mapping[str, Prices], model: str) -> Prices | None:
    return next((table[name] for name in _names(model) if name in table), None)


def _load_logged() -> None:
    try:
        load()
    except Exception:
        log.exception("The price list cannot be read; calls are recorded without their cost")


def _path() -> Path:
    spec = importlib.util.find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("litellm is not installed")
    return Path(spec.submodule_search_locations[0]) / _FILE


def _prices(entry: Any) -> Prices | None:
    if not isinstance(entry, dict) or "input_cost_per_token" not in entry:
        return None
    usual = _price(entry, "", None)
    most = entry.get("max_output_tokens")
    return Prices(
        usual,
        _price(entry, "_above_200k_tokens", usual),
        most if isinstance(most, int) else None,
        bool(entry.get("supports_reasoning")),
        bool(entry.get("supports_adaptive_thinking")) and not entry.get("supports_legacy_thinking"),
    )


def _price(entry: dict[str, Any], tier: str, default: Price | None) -> Price:
    def dollars(field: str, otherwise: float) -> float:
        value = entry.get(field + tier)
        return float(value) if isinstance(value, int | float) else otherwise

    plain = dollars("input_cost_per_token", default.input if default else 0.0)
    return Price(
        plain,
        dollars("output_cost_per_token", default.output if default else 0.0),
        dollars("cache_read_input_token_cost", default.cache_read if default else plain),
        dollars("cache_creation_input_token_cost", default.cache_write if default else plain),
    )


@lru_cache(1024)
def _names(model: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_variants(model)))


def _variants(model: str) -> Iterator[str]:
    for name in (model, model.rpartition("/")[2]):
        yield name
        yield _DATED.sub("", name)


_loading = Once("prices", _load_logged)
