"""Compiles what is in force into the immutable set that judges calls."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import fields

from policies.active import ActivePolicy, ActiveSet
from policies.base import Call, Policy
from policies.content import Request, Response, Text, Thinking, ToolCall
from policies.models import Activation, PolicyVersion, Terms
from policies.registry import InvalidConfig, NotRegistered, build
from policies.services import revision
from policies.verdicts import Verdict, block

logger = logging.getLogger(__name__)


class Unavailable(Policy):
    """Stands in for a version that cannot be loaded: it blocks whatever it is asked about."""

    def __init__(self, name: str, error: str) -> None:
        super().__init__()
        self.error = error
        self._verdict = block(f"policy {name} cannot be loaded")

    async def on_request(self, request: Request, call: Call) -> Verdict:
        return self._verdict

    async def on_text(self, text: Text, call: Call) -> Verdict:
        return self._verdict

    async def on_thinking(self, thinking: Thinking, call: Call) -> Verdict:
        return self._verdict

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        return self._verdict

    async def on_answer(self, response: Response, call: Call) -> Verdict:
        return self._verdict


# An unchanged version keeps its object over reloads; the checksum is for a database that hands out an id again.
_instances: dict[tuple[int, str], Policy] = {}
_MOST_KEPT = 500


def active_set() -> ActiveSet:
    """What is in force now. Reads the database, synchronously."""
    # The number first: a change in between is then seen as a newer number at the next look, and read again.
    number = revision()
    return ActiveSet(number, compiled({row.pk: row for row in Activation.in_force()}))


def compiled(rows: Mapping[int, Activation]) -> tuple[ActivePolicy, ...]:
    """What these activations, by their keys, put in force or did, in their order. Reads the database, synchronously."""
    loaded = dict(rows)
    while missing := {row.previous_id for row in loaded.values() if row.previous_id} - loaded.keys():
        loaded.update(Activation.objects.select_related("version", "policy").in_bulk(missing))
    made: dict[tuple[int, str], Policy] = {}
    activations = tuple(_compile(row, loaded, made) for row in rows.values())
    _keep(made)
    return activations


def problem(version: PolicyVersion) -> str:
    """Why `version` cannot be loaded; empty if it can."""
    try:
        build(version.registered_name, version.config)
    except (NotRegistered, InvalidConfig) as error:
        return str(error.args[0])
    return ""


def _compile(
    row: Activation, loaded: Mapping[int, Activation], compiled: dict[tuple[int, str], Policy]
) -> ActivePolicy:
    return ActivePolicy(
        name=row.policy.name,
        version=row.version.number,
        policy=_instance(row.version, compiled),
        fallback=_compile(loaded[row.previous_id], loaded, compiled) if row.previous_id else None,
        **{field.name: getattr(row.terms, field.name) for field in fields(Terms)},
    )


def _instance(version: PolicyVersion, compiled: dict[tuple[int, str], Policy]) -> Policy:
    identity = (version.pk, version.checksum)
    known = compiled.get(identity) or _instances.get(identity)
    if known is None:
        known = _load(version)
    compiled[identity] = known
    return known


def _load(version: PolicyVersion) -> Policy:
    try:
        return build(version.registered_name, version.config)
    except (NotRegistered, InvalidConfig) as error:
        logger.error("Policy %s cannot be loaded and blocks every call in its scope: %s", version, error)
        return Unavailable(version.policy.name, str(error.args[0]))


def _keep(compiled: Mapping[tuple[int, str], Policy]) -> None:
    # In place: two event loops of a process may compile at once, and neither may undo what the other keeps.
    # What could not be loaded is tried anew each time. Those out of force stay a while: they may be rolled back to.
    loaded = {identity: made for identity, made in compiled.items() if not isinstance(made, Unavailable)}
    if len(_instances) > _MOST_KEPT:
        _instances.clear()
    _instances.update(loaded)
