"""Work in the background, as people see it, and who does it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from observability.fields import JsonText

SILENT = 30.0
"""Seconds without a sign of its worker, after which a page says so."""


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(models.Model):
    """Work in the background, as people see it. `progress` counts up to `total`, which is 0 while unknown.

    `task` and `arguments` say what does it, so that it can be begun again where its worker died; without a task it
    cannot. `attempts` counts how often it was begun, and tells a worker that was given up from the one in its place.
    `log` is its last lines, `page` the path of what came of it.
    """

    kind = models.TextField()
    state = models.TextField(choices=JobState.choices, default=JobState.QUEUED)
    progress = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    message = models.TextField(default="", blank=True)
    cancel_asked = models.BooleanField(default=False)
    created_by = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    task = models.TextField(default="", blank=True)
    arguments = JsonText(default=list)
    attempts = models.IntegerField(default=0)
    log = models.TextField(default="", blank=True)
    page = models.TextField(default="", blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["state", "heartbeat_at"], name="job_state"),
            models.Index(fields=["-created_at", "-id"], name="job_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.state not in (JobState.QUEUED, JobState.RUNNING)

    @property
    def percent(self) -> int:
        """How much of it is done, as far as that is known."""
        return min(round(100 * self.progress / self.total), 100) if self.total else 0

    @property
    def silence(self) -> int:
        """Seconds for which no worker gave a sign of it, once they are more than SILENT; 0 of one that is over."""
        heard = self.heartbeat_at or self.queued_at
        seconds = (timezone.now() - heard).total_seconds()
        return round(seconds) if seconds > SILENT and not self.is_over else 0


class Turn(models.Model):
    """When a scheduled task was last begun, so that two beats do no more than one."""

    name = models.TextField(primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Worker(models.Model):
    """A process that does jobs, for as long as it beats."""

    name = models.TextField(primary_key=True)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()

    class Meta:
        ordering = ["started_at"]

    def __str__(self) -> str:
        return self.name
