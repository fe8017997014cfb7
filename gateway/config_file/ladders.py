"""Puts policies in force as a file says: each with what serves the sessions outside its percentage, and so on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from gateway.config_file.errors import Path
from gateway.config_file.shape import PolicyEntry, StepEntry
from policies import services
from policies.active import Scope
from policies.models import Activation, Policy, PolicyVersion, Terms, checksum

_Key = tuple[str, Terms]
"""The checksum of a version, and its terms: versions that do the same are the same."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What the entry at `path` wants in force; its config has all defaults written out."""

    path: Path
    registered_name: str
    config: dict[str, Any]
    note: str
    terms: Terms

    @property
    def checksum(self) -> str:
        return checksum(self.registered_name, self.config)

    @property
    def key(self) -> _Key:
        return self.checksum, self.terms


class Ladders:
    """`changes` says what was done. `at` gives what is refused within it the line of a path."""

    def __init__(self, at: Callable[[Path], AbstractContextManager[None]], actor: str) -> None:
        self.changes: list[str] = []
        self._at = at
        self._actor = actor

    def apply(self, path: Path, entry: PolicyEntry, order: int) -> None:
        """Make a policy what `entry` says. Raises ConfigError."""
        with self._at(path):
            policy = Policy.objects.filter(name=entry.name).first()
            policy = policy or services.create_policy(entry.name, actor=self._actor)
        wanted = self._wanted(path, entry, order)
        if entry.enabled:
            self._put_in_force(policy, wanted, is_whole="previous" in entry.model_fields_set)
        else:
            self._version(policy, wanted[0])
            self.deactivate(policy)

    def deactivate(self, policy: Policy) -> None:
        if policy.current is not None:
            services.deactivate(policy, actor=self._actor)
            self.changes.append(f"policy {policy} deactivated")

    def _wanted(self, path: Path, entry: StepEntry, order: int) -> list[_Step]:
        """The entry, and one after the other what is to serve outside its percentage."""
        steps: list[_Step] = []
        rest: StepEntry | None = entry
        while rest is not None:
            with self._at(path):
                config = services.normalised(rest.policy, rest.config)
                steps.append(_Step(path, rest.policy, config, rest.note, _terms(rest, order)))
                if len(steps) > 1 and steps[-1].terms.percent <= steps[-2].terms.percent:
                    raise ValidationError({"percent": "has to be more than that of what it is the previous one of"})
            path, rest = (*path, "previous"), rest.previous
        return steps

    def _put_in_force(self, policy: Policy, wanted: list[_Step], *, is_whole: bool) -> None:
        """Unless it `is_whole`, `wanted` leaves open what serves the sessions outside."""
        now = list(_standing(policy))
        keys = [step.key for step in wanted]
        if keys == (now if is_whole else now[:1]):
            return
        staying = [key for key in now if key[1].percent > wanted[0].terms.percent]
        if is_whole and keys[1:] != staying:
            if wanted[-1].terms.percent < 100:
                self.deactivate(policy)  # or it would serve behind the last one
        else:
            wanted = wanted[:1]
        for step in reversed(wanted):
            version = self._version(policy, step)
            with self._at(step.path):
                services.activate(version, step.terms, actor=self._actor)
            self.changes.append(f"policy {version} activated")

    def _version(self, policy: Policy, step: _Step) -> PolicyVersion:
        """The newest that does what `step` does, or a new one."""
        known: PolicyVersion | None = policy.versions.filter(checksum=step.checksum).first()
        if known is not None:
            return known
        with self._at(step.path):
            version = services.create_version(
                policy, step.registered_name, step.config, actor=self._actor, note=step.note
            )
        self.changes.append(f"policy {version} created")
        return version


def _standing(policy: Policy) -> Iterator[_Key]:
    """What is in force, and one after the other what serves outside its percentage."""
    activation: Activation | None = policy.current
    while activation is not None:
        yield activation.version.checksum, activation.terms
        activation = activation.previous


def _terms(entry: StepEntry, order: int) -> Terms:
    return Terms(
        mode=entry.mode,
        scope=Scope(tuple(entry.scope.teams), tuple(entry.scope.keys), tuple(entry.scope.models)),
        percent=entry.percent,
        order=order if entry.order is None else entry.order,
        on_failure=entry.on_failure,
        deadline=entry.deadline,
        redacted=entry.record == "redacted",
    )
