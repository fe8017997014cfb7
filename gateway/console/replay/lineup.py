"""Which policies a replay runs: a version or a draft under test, alone or among those that are in force."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.console.labels import label
from policies.active import ActivePolicy, Scope
from policies.models import PolicyVersion
from policies.registry import build


@dataclass(frozen=True, slots=True)
class Subject:
    """What is under test. `version` is 0 for a draft, whose `name` is that of the policy that it is a draft of."""

    name: str
    version: int
    registered_name: str
    config: Mapping[str, Any]

    @classmethod
    def of(cls, version: PolicyVersion) -> Subject:
        return cls(version.policy.name, version.number, version.registered_name, version.config)

    def __str__(self) -> str:
        return label(self.name, self.version, self.registered_name)


def candidate(subject: Subject, in_force: Sequence[ActivePolicy], together: bool) -> list[ActivePolicy]:
    """`subject` enforced for every call: alone, or in the place of its policy among those `in_force`.

    Raises NotRegistered and InvalidConfig.
    """
    policy = build(subject.registered_name, subject.config)
    others = [active for active in in_force if active.name != subject.name] if together else []
    current = next((active for active in in_force if active.name == subject.name), None)
    if current is None:
        order = max((active.order for active in others), default=0)
        return [*others, ActivePolicy(subject.name, subject.version, policy, order=order)]
    whole = dataclasses.replace(current, mode="enforce", scope=Scope(), percent=100, fallback=None)
    return [*others, dataclasses.replace(whole, version=subject.version, policy=policy)]


def baseline(subject: Subject, in_force: Sequence[ActivePolicy], together: bool) -> list[ActivePolicy]:
    """What judges now, where `candidate` is to judge."""
    return [active for active in in_force if together or active.name == subject.name]
