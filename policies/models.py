"""Policies, their immutable versions, and the history of what was in force."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, cast

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from policies.active import OnFailure, Scope
from policies.verdicts import Mode

MIN_DEADLINE, MAX_DEADLINE = 0.1, 240.0
"""Seconds; a held answer keeps its client waiting no longer than the longer one."""
EVERYWHERE = Scope()
SCOPE_FIELDS = ("teams", "keys", "models")
RESERVED = frozenset({"catalogue", "new", "playground", "backtest", "backtests"})
"""Names that no policy can have: pages of the console stand there."""


class Immutable(Exception):
    """Somebody tried to change or delete what is history."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a version is to be in force. `deadline` is the seconds a hook may take, `percent` is of sessions."""

    mode: Mode = "enforce"
    scope: Scope = EVERYWHERE
    percent: int = 100
    order: int = 0
    on_failure: OnFailure = "closed"
    deadline: float = 30.0
    redacted: bool = False


def checksum(registered_name: str, config: Mapping[str, Any]) -> str:
    """SHA-256, in hex, over the canonical JSON of what a version does."""
    canonical = json.dumps({"class": registered_name, "config": config}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def validate_scope(value: object) -> None:
    """Three lists of glob patterns, none of them empty. Raises ValidationError."""
    if not isinstance(value, dict) or set(value) != set(SCOPE_FIELDS):
        raise ValidationError(f"A scope has {', '.join(SCOPE_FIELDS)}.")
    for field, patterns in value.items():
        if not (isinstance(patterns, list) and patterns and all(isinstance(p, str) and p for p in patterns)):
            raise ValidationError(f"{field}: give a list of patterns; * matches everything.")


class HistoryQuerySet(models.QuerySet[Any]):
    """Rows come in and stay as they are."""

    def delete(self) -> NoReturn:
        raise Immutable(f"{self.model.__name__} rows are never deleted")

    def update(self, **fields: Any) -> NoReturn:
        raise Immutable(f"{self.model.__name__} rows never change")


class History(models.Model):
    """A row that is never deleted, and once saved never changed, but for what `end` of a subclass does."""

    objects = HistoryQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Immutable(f"{type(self).__name__} rows never change")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Immutable(f"{type(self).__name__} rows are never deleted")


class Policy(History):
    """A name under which versions follow one another; the name stands on records, so it never changes."""

    name = models.CharField(
        max_length=100,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9_.-]*\Z", "Use small letters, digits, -, _ and dots.")],
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.name in RESERVED:
            raise ValidationError({"name": "This name is the console's own; take another."})

    @property
    def current(self) -> Activation | None:
        """The activation in force."""
        return cast("Activation | None", self.activations.filter(ended_at=None).first())

    @property
    def latest(self) -> PolicyVersion | None:
        return cast("PolicyVersion | None", self.versions.order_by("-number").first())


class PolicyVersion(History):
    """What a policy does: a registered class and its whole config, defaults written out."""

    policy = models.ForeignKey(Policy, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    registered_name = models.CharField("policy class", max_length=100)
    config = models.JSONField(default=dict, blank=True)
    checksum = models.CharField(max_length=64, editable=False)
    author = models.CharField(max_length=150)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["policy", "-number"]
        constraints = [models.UniqueConstraint(fields=["policy", "number"], name="version_number_once")]

    def __str__(self) -> str:
        return f"{self.policy.name}@{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.checksum = checksum(self.registered_name, self.config)
        super().save(*args, **kwargs)


class Activation(History):
    """A version in force, or one that was: activations are ended, never deleted.

    `previous` serves the sessions outside the percentage, although it is ended.
    """

    policy = models.ForeignKey(Policy, models.PROTECT, related_name="activations")
    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="activations")
    mode = models.CharField(max_length=7, choices=[("shadow", "shadow"), ("enforce", "enforce")], default="enforce")
    scope = models.JSONField(validators=[validate_scope])
    percent = models.PositiveSmallIntegerField(default=100, validators=[MaxValueValidator(100)])
    order = models.IntegerField(default=0)
    on_failure = models.CharField(max_length=6, choices=[("closed", "closed"), ("open", "open")], default="closed")
    deadline = models.FloatField(
        default=30.0, validators=[MinValueValidator(MIN_DEADLINE), MaxValueValidator(MAX_DEADLINE)]
    )
    redacted = models.BooleanField(default=False)
    author = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    previous = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["policy"], condition=Q(ended_at=None), name="one_activation_in_force"),
            models.CheckConstraint(condition=Q(percent__lte=100), name="percent_of_sessions"),
            models.CheckConstraint(
                condition=Q(deadline__gte=MIN_DEADLINE, deadline__lte=MAX_DEADLINE), name="deadline_in_range"
            ),
            models.CheckConstraint(condition=Q(mode__in=["shadow", "enforce"]), name="mode_is_known"),
            models.CheckConstraint(condition=Q(on_failure__in=["closed", "open"]), name="on_failure_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.version} ({self.mode})"

    @classmethod
    def in_force(cls) -> models.QuerySet[Activation]:
        """Those that judge now, in their order, with their versions and policies."""
        rows: models.QuerySet[Activation] = cls.objects.filter(ended_at=None).select_related("version", "policy")
        return rows.order_by("order", "policy__name")

    @property
    def terms(self) -> Terms:
        scope = Scope(**{field: tuple(self.scope[field]) for field in SCOPE_FIELDS})
        return Terms(
            mode=cast(Mode, self.mode),
            scope=scope,
            percent=self.percent,
            order=self.order,
            on_failure=cast(OnFailure, self.on_failure),
            deadline=self.deadline,
            redacted=self.redacted,
        )

    def end(self, at: datetime) -> None:
        """The one change that history allows, once."""
        if self.ended_at is not None:
            raise Immutable("the activation has ended already")
        self.ended_at = at
        models.Model.save(self, update_fields=["ended_at"])


class Revision(models.Model):
    """One row: its number rises with every change to what is in force, so that every worker notices."""

    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)
