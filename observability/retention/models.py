"""How long what is kept, and what is kept whatever its age."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from .kinds import Kind


class RetentionPeriod(models.Model):
    """After how many days a kind of record goes: that of one team, or of all teams without a period of their own."""

    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    team = models.CharField(max_length=100, default="", blank=True)
    days = models.PositiveIntegerField()

    class Meta:
        ordering = ["kind", "team"]
        constraints = [models.UniqueConstraint(fields=["kind", "team"], name="retention_kind_team")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.team or 'all teams'}: {self.days} days"


class HoldScope(models.TextChoices):
    TEAM = "team", "Team"
    KEY = "key", "Key"
    SESSION = "session", "Session"
    CALL = "call", "Call"


class LegalHold(models.Model):
    """Calls that nothing purges or erases until the hold is released: those of one team, key or session, or one."""

    scope = models.CharField(max_length=10, choices=HoldScope.choices)
    name = models.CharField(max_length=200)
    reason = models.TextField()
    author = models.CharField(max_length=150)
    placed_at = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True)
    released_by = models.CharField(max_length=150, default="", blank=True)

    class Meta:
        ordering = ["-placed_at", "-id"]

    def __str__(self) -> str:
        return f"{self.get_scope_display().lower()} {self.name}"
