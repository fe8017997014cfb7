"""All that a call needs to know, in memory and immutable: keys, routes, providers, policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from gateway import secrets
from gateway.upstreams.base import Upstream
from gateway.upstreams.demo import MODELS as DEMO_MODELS
from policies.active import ActiveSet
from policies.base import Policy

SPEAKS: Mapping[str, frozenset[str]] = {
    "anthropic": frozenset({"anthropic"}),
    "openai": frozenset({"openai_chat", "openai_embeddings", "openai_responses"}),
    "litellm": frozenset({"openai_chat", "openai_embeddings"}),
    "demo": frozenset({"anthropic", "openai_chat", "openai_embeddings", "openai_responses"}),
}
"""The wire dialects of a provider, by the dialect that it is configured with."""
TRANSLATED: Mapping[str, str] = {
    "anthropic": "anthropic",
    "openai": "openai_chat",
    "litellm": "openai_chat",
    "demo": "openai_chat",
}
"""The one of them that calls of other dialects are translated to, unless their route says otherwise."""
WIRES: Mapping[str, str] = {"responses": "openai_responses"}
"""What a route may say instead."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who calls. `team` is empty for a key without one.

    `credential` is the header that a client brought along for its provider, in place of a key of ours.
    """

    key: str
    team: str
    can_call: bool
    can_read: bool
    id: int
    credential: tuple[str, str] | None = field(default=None, repr=False)

    def may_use(self, target: Target) -> bool:
        """Whether its calls may go there: what uses a credential of ours is not for those who bring their own."""
        return self.credential is None or target.passthrough


@dataclass(frozen=True, slots=True)
class Target:
    """Where a model's calls go: `dialect` as configured, `model` as the provider knows it.

    `passthrough` says that clients may bring their own credential; `fallbacks` are to be asked where it cannot answer.
    `translated` is the wire dialect of translated calls, empty for the usual one. An OpenAI provider without
    `responses` has only Chat Completions.
    """

    provider: str
    dialect: str
    model: str
    upstream: Upstream
    passthrough: bool = False
    fallbacks: tuple[Target, ...] = ()
    translated: str = ""
    responses: bool = True

    def speaks(self, dialect: str) -> bool:
        """Whether it takes calls in the wire dialect of that name, such as `openai_chat`."""
        return dialect in SPEAKS[self.dialect] and (self.responses or dialect != "openai_responses")

    def wire(self, dialect: str) -> str:
        """The wire dialect that a call of `dialect` is sent in: its own where that is spoken."""
        if self.speaks(dialect):
            return dialect
        return self.translated if self.speaks(self.translated) else TRANSLATED[self.dialect]


@dataclass(frozen=True, slots=True)
class Route:
    """`serves` and `fallbacks` with an empty `model` know the model by its public name."""

    match: str
    serves: Target
    fallbacks: tuple[Target, ...] = ()

    @property
    def is_pattern(self) -> bool:
        return any(sign in self.match for sign in "*?[")

    def target(self, model: str) -> Target:
        serves = self.serves
        fallbacks = self._fallbacks(model) if self.fallbacks else ()
        name = serves.model or model
        facts = serves.upstream, serves.passthrough, fallbacks, serves.translated, serves.responses
        return Target(serves.provider, serves.dialect, name, *facts)

    def _fallbacks(self, model: str) -> tuple[Target, ...]:
        """In their order; by their own names for `model`, two of them may come to be the same."""
        named = [replace(each, model=each.model or model) for each in (self.serves, *self.fallbacks)]
        return tuple(dict.fromkeys(named))[1:]


@dataclass(frozen=True, slots=True)
class Directory:
    """One state of it all; `number` rises with every change. `clients` is by the digest of the key."""

    number: int
    active: ActiveSet
    clients: Mapping[str, Client]
    exact: Mapping[str, Route] = field(default_factory=dict)
    patterns: tuple[Route, ...] = ()
    _right: dict[str, Client] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, number: int, active: ActiveSet, clients: Mapping[str, Client], routes: list[Route]) -> Directory:
        """`routes` in ascending order."""
        exact = {route.match: route for route in routes if not route.is_pattern}
        return cls(number, active, clients, exact, tuple(route for route in routes if route.is_pattern))

    def client(self, secret: str) -> Client | None:
        """Whose key `secret` is. Keys are compared by their keyed hashes, so timing tells nothing of a key.

        A key that was right is remembered as long as this directory lives, so that it is hashed once and not each call.
        """
        client = self._right.get(secret)
        if client is None and (client := self.clients.get(secrets.digest(secret))) is not None:
            self._right[secret] = client
        return client

    def target(self, model: str) -> Target | None:
        """Where calls for `model` go: its own route first, then the first pattern that matches."""
        route = self.exact.get(model)
        if route is None:
            route = next((route for route in self.patterns if fnmatchcase(model, route.match)), None)
        return route.target(model) if route is not None else None

    def models(self, client: Client) -> list[str]:
        """The names that may be listed for `client`: a pattern has none, but for the demo provider's.

        What a policy in force would refuse is left out.
        """
        if not client.can_call:
            return []
        demo = [name for name in DEMO_MODELS if name not in self.exact and self._is_demo(name)]
        return [name for name in (*self.exact, *demo) if self._may_use(name, client)]

    def _may_use(self, model: str, client: Client) -> bool:
        target = self.target(model)
        if target is None or not client.may_use(target):
            return False
        judging = self.active.select(client.team, client.key, model, session="")
        return all(_offers(active.policy, model, client) for active in judging if active.mode == "enforce")

    def _is_demo(self, model: str) -> bool:
        target = self.target(model)
        return target is not None and target.dialect == "demo"


def _offers(policy: Policy, model: str, client: Client) -> bool:
    """A policy that fails at this lists nothing; what is asked for all the same, its hooks decide."""
    try:
        return bool(policy.offers(model, client.key, client.team))
    except Exception:
        return False
