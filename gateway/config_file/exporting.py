"""What is in force, as a configuration file without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from gateway.config_file import retention
from gateway.config_file.document import escaped
from gateway.config_file.shape import (
    FallbackEntry,
    KeyEntry,
    PolicyEntry,
    ProviderEntry,
    RouteEntry,
    ScopeEntry,
    StepEntry,
)
from gateway.models import ApiKey, ModelRoute, Provider, Wire
from policies.models import Activation, Policy

_HEADER = """\
# The installation as it is set up. Secrets are not in here: applied where they are stored, they stay.
"""


def export() -> str:
    """A file that changes nothing when it is applied where it came from."""
    routes = ModelRoute.objects.select_related("provider").prefetch_related("fallbacks__provider")
    sections = {
        "providers": {provider.name: _provider(provider) for provider in Provider.objects.all()},
        "models": [_route(route) for route in routes],
        "keys": _keys(),
        "policies": [_policy(row) for row in Activation.in_force()] + list(_out_of_force()),
        "retention": retention.exported(),
    }
    return _HEADER + yaml.safe_dump(_escaped(sections), sort_keys=False, allow_unicode=True, width=120)


def _provider(provider: Provider) -> dict[str, Any]:
    entry = ProviderEntry.model_validate(
        {name: getattr(provider, name) for name in ProviderEntry.model_fields if name != "api_key"}
    )
    return entry.model_dump(exclude_defaults=True)


def _route(route: ModelRoute) -> dict[str, Any]:
    entry = RouteEntry(
        match=route.match,
        provider=route.provider.name,
        model=route.model,
        wire="responses" if route.wire == Wire.RESPONSES else "",
        fallback=[FallbackEntry(provider=each.provider.name, model=each.model) for each in route.fallbacks.all()],
        order=route.order,
        enabled=route.enabled,
    )
    return entry.model_dump(exclude_defaults=True)


def _keys() -> list[dict[str, Any]]:
    """One entry a name: keys of the same name are told apart by their secrets only."""
    entries = {}
    for key in ApiKey.objects.live().select_related("team").order_by("name", "pk"):
        call = key.can_call if key.can_call == key.can_read else None
        team = key.team.name if key.team else ""
        entries[key.name] = KeyEntry(name=key.name, team=team, read=key.can_read, call=call)
    return [entry.model_dump(exclude_defaults=True) for entry in entries.values()]


def _policy(activation: Activation) -> dict[str, Any]:
    return {"name": activation.policy.name, **_step(activation)}


def _step(activation: Activation) -> dict[str, Any]:
    terms, version = activation.terms, activation.version
    entry = StepEntry(
        policy=version.registered_name,
        config=version.config,
        note=version.note,
        mode=terms.mode,
        scope=ScopeEntry(teams=list(terms.scope.teams), keys=list(terms.scope.keys), models=list(terms.scope.models)),
        percent=terms.percent,
        order=terms.order,
        on_failure=terms.on_failure,
        deadline=terms.deadline,
        record="redacted" if terms.redacted else "full",
    )
    step = entry.model_dump(exclude_defaults=True)
    if terms.percent < 100:
        # Said also where there is none: an entry that is silent leaves it as it is.
        step["previous"] = _step(activation.previous) if activation.previous else None
    return step


def _out_of_force() -> Iterator[dict[str, Any]]:
    """Each policy that judges nothing, by its newest version."""
    for policy in Policy.objects.exclude(activations__in=Activation.in_force()):
        version = policy.latest
        if version is not None:
            entry = PolicyEntry(
                name=policy.name,
                policy=version.registered_name,
                config=version.config,
                note=version.note,
                enabled=False,
            )
            yield {"name": policy.name, **entry.model_dump(exclude_defaults=True)}


def _escaped(value: Any) -> Any:
    match value:
        case str():
            return escaped(value)
        case dict():
            return {name: _escaped(item) for name, item in value.items()}
        case list():
            return [_escaped(item) for item in value]
    return value
