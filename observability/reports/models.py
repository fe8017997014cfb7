"""Reports that were asked for."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from observability.exporters import EXPORTERS


class Report(models.Model):
    """One report, and where it lies once it is whole.

    `teams` are those whose calls it may tell of, and `seen_teams` those of which it may show what people and models
    said; None is all of them. With `contents` it has their bodies, headers, notes and evidence too. `file` is its name
    in the reports' folder, empty until it is whole and once it is gone: it says which attempt of the job made it.
    `digest` is the SHA-256 of the file in hex.
    """

    job = models.OneToOneField("observability.Job", models.CASCADE, related_name="report")
    kind = models.TextField()
    filters = models.JSONField(default=dict)
    since = models.DateTimeField()
    until = models.DateTimeField()
    formats = models.JSONField(default=list)
    contents = models.BooleanField(default=False)
    teams = models.JSONField(null=True)
    seen_teams = models.JSONField(null=True)
    file = models.TextField(default="")
    size = models.BigIntegerField(default=0)
    digest = models.TextField(default="")
    rows = models.BigIntegerField(default=0)
    calls = models.BigIntegerField(default=0)
    events = models.BigIntegerField(default=0)
    seal = models.BigIntegerField(null=True)
    made_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["expires_at"], name="report_expires", condition=models.Q(gone_at=None))]

    def __str__(self) -> str:
        return EXPORTERS[self.kind].title if self.kind in EXPORTERS else self.kind

    @property
    def is_over(self) -> bool:
        return self.job.is_over

    @property
    def is_there(self) -> bool:
        """Whether its file can be had."""
        return bool(self.file)

    @property
    def file_name(self) -> str:
        """The name under which people get it."""
        return f"luthien-{self.kind.replace('_', '-')}-{self.until:%Y-%m-%d}-{self.pk}.zip"
