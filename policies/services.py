"""The verbs: every change to policies, each in one transaction and announced by `signals.changed`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from policies import registry
from policies.models import Activation, Policy, PolicyVersion, Revision, Terms, checksum
from policies.signals import changed


class InvalidPolicy(ValueError):
    """What was asked for cannot be stored. `errors` holds (field, what is wrong with it); the text names both."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {message}" if field else message for field, message in errors))
        self.errors = errors


def revision() -> int:
    """The number of the last change to what is in force, in policies or in the gateway."""
    return Revision.objects.filter(pk=1).values_list("number", flat=True).first() or 0


def touch_revision() -> None:
    """Count a change to what is in force. Call it first in the change's transaction: it also lines the writers up."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("a change is counted in its own transaction")
    Revision.objects.get_or_create(pk=1)
    Revision.objects.filter(pk=1).update(number=F("number") + 1)


def normalised(registered_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` as a version stores it, with every default written out. Raises InvalidPolicy."""
    try:
        return registry.build(registered_name, config).config.model_dump(mode="json")
    except registry.NotRegistered as error:
        raise InvalidPolicy([("registered_name", str(error.args[0]))]) from None
    except registry.InvalidConfig as error:
        raise InvalidPolicy([(f"config.{path}" if path else "config", text) for path, text in error.errors]) from None


@transaction.atomic
def create_policy(name: str, *, actor: str) -> Policy:
    """Raises InvalidPolicy, also if the name is taken."""
    policy = Policy(name=name)
    _store(policy)
    _announce(policy, actor, "policy.created", rows=[policy])
    return policy


@transaction.atomic
def create_version(
    policy: Policy, registered_name: str, config: Mapping[str, Any], *, actor: str, note: str = ""
) -> PolicyVersion:
    """A further version, not yet in force. Raises InvalidPolicy, naming the field."""
    Policy.objects.select_for_update().get(pk=policy.pk)
    version = PolicyVersion(
        policy=policy,
        number=policy.latest.number + 1 if policy.latest else 1,
        registered_name=registered_name,
        config=normalised(registered_name, config),
        author=actor,
        note=note,
    )
    version.checksum = checksum(version.registered_name, version.config)
    _store(version)
    detail = {"version": version.number, "checksum": version.checksum}
    _announce(policy, actor, "policy.version_created", rows=[version], **detail)
    return version


@transaction.atomic
def activate(version: PolicyVersion, terms: Terms | None = None, *, actor: str) -> Activation:
    """Put `version` in force, in place of what its policy has in force. Raises InvalidPolicy, naming the field."""
    terms = terms or Terms()
    touch_revision()
    current = version.policy.current
    if current:
        current.end(timezone.now())
    activation = Activation(
        policy=version.policy, version=version, author=actor, previous=rest(terms, current), **_columns(terms)
    )
    _store(activation)
    rows = [activation, current] if current else [activation]
    _announce(version.policy, actor, "policy.activated", rows=rows, version=version.number, **_columns(terms))
    return activation


def rest(terms: Terms, current: Activation | None) -> Activation | None:
    """What serves the sessions outside the percentage. An activation of a smaller share would never get one of them."""
    if terms.percent >= 100:
        return None
    while current and current.percent <= terms.percent:
        current = current.previous
    return current


@transaction.atomic
def deactivate(policy: Policy, *, actor: str) -> None:
    """Take out of force whatever is in force of `policy`; nothing happens if nothing is."""
    touch_revision()
    current = policy.current
    if current is None:
        return
    current.end(timezone.now())
    _announce(policy, actor, "policy.deactivated", rows=[current], version=current.version.number)


@transaction.atomic
def roll_back(policy: Policy, version_number: int, *, actor: str) -> Activation:
    """Put an earlier version in force for all sessions, otherwise on the terms of the last activation."""
    version = policy.versions.filter(number=version_number).first()
    if version is None:
        raise InvalidPolicy([("version", f"{policy.name} has no version {version_number}")])
    last = policy.activations.first()
    if last is None:
        raise InvalidPolicy([("version", f"{policy.name} was never in force")])
    activation = activate(version, replace(last.terms, percent=100), actor=actor)
    _announce(policy, actor, "policy.rolled_back", version=version.number, from_version=last.version.number)
    return activation


def _columns(terms: Terms) -> dict[str, Any]:
    scope = {field: list(patterns) for field, patterns in asdict(terms.scope).items()}
    return {name: getattr(terms, name) for name in Terms.__slots__} | {"scope": scope}


def _store(row: models.Model) -> None:
    with _named_fields():
        row.full_clean()
    row.save()


@contextmanager
def _named_fields() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        named = error.message_dict.items()
        raise InvalidPolicy(
            [("" if field == "__all__" else field, " ".join(texts)) for field, texts in named]
        ) from None


def _announce(policy: Policy, actor: str, action: str, *, rows: Sequence[models.Model] = (), **detail: Any) -> None:
    changed.send(sender=Policy, actor=actor, action=action, subject=policy.name, detail=detail, rows=rows)
