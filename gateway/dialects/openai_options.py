"""What OpenAI's two dialects ask for in the same words, beside their content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.errors import BadRequest

from .fields import optional_bool, optional_number, optional_string, wrong
from .settings import EFFORTS, Effort, Model, Settings, ToolChoice
from .wire_json import Json

_LONGEST_USER = 64
_TIERS = {"standard_only": "default", "default": "default", "flex": "flex", "priority": "priority"}
_EFFORTS: dict[Effort, str] = {"xhigh": "high", "max": "high"}
_BUDGETS = ((2048, "low"), (12_000, "medium"))
"""Up to so many tokens of thought are that effort; more is high."""


def refuse(source: Json, refused: Mapping[str, str]) -> None:
    """Raises BadRequest for the first field of `refused`, a name to a sentence, that `source` has."""
    for name, why in refused.items():
        if source.get(name):
            raise BadRequest(why, param=name)


def read_common(source: Json, carried: frozenset[str], effort: str) -> Settings:
    """The settings that both name alike. `carried` are the fields that a translation knows; the others are dropped."""
    parallel = source.get("parallel_tool_calls")
    return Settings(
        temperature=optional_number(source, "temperature"),
        top_p=optional_number(source, "top_p"),
        parallel_tool_calls=None if parallel is None else optional_bool(source, "parallel_tool_calls"),
        effort=next((each for each in EFFORTS if each == effort), None),
        user=optional_string(source, "safety_identifier") or optional_string(source, "user"),
        service_tier=optional_string(source, "service_tier"),
        dropped=tuple(f"`{name[:100]}`" for name, value in source.items() if name not in carried and value),
    )


def worded_choice(choice: Any) -> ToolChoice | None:
    """A tool choice that is a word or missing; None if it is an object. Raises BadRequest for anything else."""
    if choice in ("auto", "none", "required"):
        return ToolChoice(choice)
    if choice is not None and not isinstance(choice, dict):
        raise wrong("tool_choice", "auto, none, required or an object")
    return None


def allowed_mode(choice: Json) -> ToolChoice:
    """Whether one of the tools that a choice allows has to be called."""
    return ToolChoice("required" if choice.get("mode") == "required" else "auto")


def most_output(most: int | None, model: Model, dropped: list[str]) -> int | None:
    """The tokens that `model` may be asked for; what is beyond its limit is noted in `dropped`."""
    if most is not None and model.most_output is not None and most > model.most_output:
        dropped.append(f"`max_tokens` above {model.most_output}")
        return model.most_output
    return most


def sampling(settings: Settings, model: Model, dropped: list[str]) -> Json:
    """Models that reason refuse to be sampled in another way than their own."""
    fields: Json = {}
    if settings.top_k is not None:
        dropped.append("`top_k`")
    for name, value in (("temperature", settings.temperature), ("top_p", settings.top_p)):
        if value is not None and model.reasons:
            dropped.append(f"`{name}`")
        elif value is not None:
            fields[name] = value
    return fields


def effort_of(settings: Settings) -> str | None:
    """The effort as OpenAI calls it, also where a budget of tokens was asked for."""
    if settings.effort is not None:
        return _EFFORTS.get(settings.effort, settings.effort)
    if settings.budget is None:
        return None
    return next((effort for most, effort in _BUDGETS if settings.budget <= most), "high")


def whose(settings: Settings, field: str) -> Json:
    """Who is served, in `field`, and how; what OpenAI would refuse is left out."""
    named = {field: settings.user} if settings.user and len(settings.user) <= _LONGEST_USER else {}
    return named | ({"service_tier": _TIERS[settings.service_tier]} if settings.service_tier in _TIERS else {})
