"""What the policies that were enforced on a call had to judge, as their versions and the history of activations say."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from observability.models import CallRecord
from policies.models import PolicyVersion
from policies.registry import InvalidConfig, NotRegistered, build

from .attribution import Decision
from .released import Who


def duties(call: CallRecord, decisions: Iterable[Decision]) -> dict[Who, frozenset[str]]:
    """The hooks of each version that was enforced on the call.

    Versions are left out that the console does not know any more, or of which it cannot be said that they were
    enforced and not in shadow: nobody may be blamed on a guess.
    """
    modes = {(each.policy, each.version): each.mode for each in decisions}
    wanted = [who for who in _named(call.policies) if modes.get(who, "enforce") == "enforce"]
    if not wanted:
        return {}
    named = [Q(policy__name=name, number=number) for name, number in wanted]
    versions = PolicyVersion.objects.filter(Q(*named, _connector=Q.OR)).select_related("policy")
    found = {}
    for version in versions.prefetch_related("activations"):
        who = (version.policy.name, version.number)
        if who in modes or all(each.mode == "enforce" for each in version.activations.all()):
            found[who] = _hooks(version)
    return found


def _named(policies: str) -> list[Who]:
    """The versions that a record's list names."""
    pairs = (each.rpartition("@") for each in policies.split(", ") if each)
    return [(name, int(number)) for name, _, number in pairs if number.isascii() and number.isdigit()]


def _hooks(version: PolicyVersion) -> frozenset[str]:
    try:
        return build(version.registered_name, version.config).hooks
    except (NotRegistered, InvalidConfig):
        return frozenset()
