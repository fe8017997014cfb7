"""The gateway processes that the record knows; rows are written by `rows/process.py` and `recovery/`, in SQL."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone


class Processes(models.QuerySet["Process"]):
    def alive(self) -> Processes:
        """Those that have shown a sign of life lately, and have not ended."""
        return self.filter(ended_at=None, heartbeat_at__gt=timezone.now() - timedelta(seconds=10))


class Process(models.Model):
    """A gateway process that owns open calls. `ended_at` is set once its orphans are closed; nothing revives it."""

    boot_id = models.TextField(primary_key=True)
    host = models.TextField()
    pid = models.IntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = Processes.as_manager()

    class Meta:
        verbose_name_plural = "processes"
