"""Reads the directory from the database, synchronously."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from gateway import models, secrets
from gateway.directory.snapshot import Client
from gateway.models import ApiKey, Dialect, ModelRoute, Provider
from gateway.stopping import Stop
from gateway.upstreams.base import Headers, Upstream
from gateway.upstreams.broken import BrokenUpstream
from gateway.upstreams.demo import DemoUpstream
from gateway.upstreams.litellm.upstream import LitellmUpstream
from gateway.upstreams.native import NativeUpstream, Timeouts
from policies import services as policies
from policies.active import ActiveSet
from policies.snapshot import active_set

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """What an upstream is made from; equal facts may share one. `sealed_api_key` is opened when it is made."""

    name: str
    dialect: str
    litellm_provider: str
    litellm_options: tuple[tuple[str, str], ...]
    base_url: str
    sealed_api_key: bytes
    extra_headers: tuple[tuple[str, str], ...]
    timeouts: Timeouts
    passthrough: bool = False
    responses: bool = True


@dataclass(frozen=True, slots=True)
class RouteFacts:
    match: str
    provider: ProviderFacts
    model: str
    fallbacks: tuple[tuple[ProviderFacts, str], ...] = ()
    wire: str = ""

    @property
    def providers(self) -> list[ProviderFacts]:
        """All that it may ask."""
        return [self.provider, *(provider for provider, _ in self.fallbacks)]


@dataclass(frozen=True, slots=True)
class Rows:
    """One consistent state of the database; `routes` in ascending order, all of them in use."""

    number: int
    active: ActiveSet
    clients: dict[str, Client]
    routes: list[RouteFacts]
    stops: list[Stop]


def revision() -> int:
    """The number of the last change."""
    return policies.revision()


def load() -> Rows:
    """All of it. A change while it reads has a newer number, and is read at the next look."""
    number = revision()
    keys = ApiKey.objects.live().select_related("team")
    routes = ModelRoute.objects.filter(enabled=True, provider__enabled=True).select_related("provider")
    routes = routes.prefetch_related("fallbacks__provider")
    return Rows(
        number,
        active_set(),
        {key.digest: _client(key) for key in keys.iterator()},
        [_route(route) for route in routes.order_by("order", "pk")],
        stops(),
    )


def stops() -> list[Stop]:
    """What is stopped now."""
    rows = models.Stop.objects.filter(lifted_at=None).values_list("kind", "team", "name")
    return [Stop(cast(Literal["key", "session"], kind), team, name) for kind, team, name in rows]


def find_client(digest: str) -> Client | None:
    """The client of one key, past the snapshot."""
    key = ApiKey.objects.live().select_related("team").filter(digest=digest).first()
    return _client(key) if key else None


def facts(provider: Provider) -> ProviderFacts:
    """What an upstream for `provider` is made from."""
    return ProviderFacts(
        provider.name,
        provider.dialect,
        provider.litellm_provider,
        tuple(sorted(provider.litellm_options.items())),
        provider.base_url,
        bytes(provider.sealed_api_key),
        tuple(sorted(provider.extra_headers.items())),
        Timeouts(provider.connect_timeout, provider.first_byte_timeout, provider.idle_timeout),
        provider.passthrough,
        provider.responses,
    )


def upstream(provider: ProviderFacts) -> Upstream:
    """A new upstream. Call it in the loop that will use it."""
    return _MAKERS[provider.dialect](provider)


def _route(route: ModelRoute) -> RouteFacts:
    fallbacks = [(facts(each.provider), each.model) for each in route.fallbacks.all() if each.provider.enabled]
    return RouteFacts(route.match, facts(route.provider), route.model, tuple(fallbacks), route.wire)


def _demo(provider: ProviderFacts) -> Upstream:
    return DemoUpstream(provider.name, provider.timeouts.first_byte, provider.timeouts.idle)


def _remote(provider: ProviderFacts) -> Upstream:
    try:
        api_key = secrets.unseal(provider.sealed_api_key)
    except secrets.Unreadable as error:
        log.error("The credential of provider %s cannot be read: %s", provider.name, error)
        return BrokenUpstream(provider.name, "has a stored credential that cannot be read: enter it again.")
    headers: Headers = list(provider.extra_headers)
    if provider.dialect == Dialect.LITELLM:
        name, options = provider.litellm_provider, dict(provider.litellm_options)
        return LitellmUpstream(provider.name, name, provider.base_url, api_key, headers, options, provider.timeouts)
    dialect = cast(Literal["anthropic", "openai"], provider.dialect)
    return NativeUpstream(provider.name, dialect, provider.base_url, api_key, headers, provider.timeouts)


def _client(key: ApiKey) -> Client:
    return Client(key.name, key.team.name if key.team else "", key.can_call, key.can_read, key.pk)


_MAKERS: dict[str, Callable[[ProviderFacts], Upstream]] = {
    Dialect.ANTHROPIC.value: _remote,
    Dialect.OPENAI.value: _remote,
    Dialect.LITELLM.value: _remote,
    Dialect.DEMO.value: _demo,
}
