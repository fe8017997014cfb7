"""The set of policies in force: one immutable snapshot with a number. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from .base import Policy
from .verdicts import Mode

OnFailure = Literal["closed", "open"]
EVERYTHING = ("*",)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which calls an activation is for: glob patterns for teams, keys and models, each matching any of its list."""

    teams: tuple[str, ...] = EVERYTHING
    keys: tuple[str, ...] = EVERYTHING
    models: tuple[str, ...] = EVERYTHING

    def matches(self, team: str, key: str, model: str) -> bool:
        return _any(self.teams, team) and _any(self.keys, key) and _any(self.models, model)


@dataclass(frozen=True, slots=True)
class ActivePolicy:
    """One policy version in force. `deadline` is seconds a hook may take; `percent` is of sessions.

    `fallback` is the activation of the same policy that serves sessions outside the percentage, if there is one.
    """

    name: str
    version: int
    policy: Policy
    mode: Mode = "enforce"
    scope: Scope = Scope()
    percent: int = 100
    order: int = 0
    on_failure: OnFailure = "closed"
    deadline: float = 30.0
    redacted: bool = False
    fallback: ActivePolicy | None = None

    def for_session(self, session: str) -> ActivePolicy | None:
        """Itself, or what serves the sessions outside its percentage."""
        if self.percent >= 100 or place(session, self.name) < self.percent:
            return self
        return self.fallback.for_session(session) if self.fallback else None


@dataclass(frozen=True, slots=True)
class ActiveSet:
    """All that is in force, in ascending order. `number` rises with every change."""

    number: int = 0
    activations: tuple[ActivePolicy, ...] = ()

    def select(self, team: str, key: str, model: str, session: str) -> tuple[ActivePolicy, ...]:
        """The activations that judge one call, in order."""
        return tuple(_matching(self.activations, team, key, model, session))


def place(session: str, policy: str) -> int:
    """Where in 0..99 a session stands for a policy; fixed for ever."""
    digest = hashlib.sha256(f"{policy}\0{session}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 100


def _matching(
    activations: Iterable[ActivePolicy], team: str, key: str, model: str, session: str
) -> Iterable[ActivePolicy]:
    for activation in activations:
        chosen = activation.for_session(session)
        if chosen is not None and chosen.scope.matches(team, key, model):
            yield chosen


def _any(patterns: tuple[str, ...], name: str) -> bool:
    return any(pattern == "*" or fnmatchcase(name, pattern) for pattern in patterns)
