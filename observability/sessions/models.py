"""What is kept of sessions beside the record: it can be made again from it, and no chain covers it."""

from __future__ import annotations

from django.db import models

from observability.fields import JsonText


class SessionSummary(models.Model):
    """What a team's calls of a session amount to; the figures are of calls that are over.

    `model` and `client` are those of the call that was read last; `last_at` is when the last call began or ended.
    """

    session = models.TextField()
    team = models.TextField()
    key = models.TextField()
    model = models.TextField()
    client = models.TextField(default="")
    started_at = models.DateTimeField()
    last_at = models.DateTimeField()
    calls = models.BigIntegerField(default=0)
    blocked = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cost_microdollars = models.BigIntegerField(default=0)

    class Meta:
        app_label = "observability"
        verbose_name_plural = "session summaries"
        constraints = [models.UniqueConstraint(fields=["session", "team"], name="session_of_team")]
        indexes = [
            models.Index(fields=["-last_at", "-id"], name="session_newest"),
            models.Index(fields=["team", "-last_at", "-id"], name="session_team"),
            models.Index(fields=["key", "-last_at", "-id"], name="session_key"),
        ]

    def __str__(self) -> str:
        return self.session


class SessionCall(models.Model):
    """A call's place in its session's story (reading.py). `is_counted`: it is over, and in the summary's figures."""

    call_id = models.TextField(primary_key=True)
    session = models.TextField()
    started_at = models.DateTimeField()
    is_counted = models.BooleanField(default=False)
    steps = models.BinaryField(default=b"")
    answer = models.BinaryField(default=b"")
    opening = models.IntegerField(default=0)
    setting = models.TextField(default="")
    agent = models.TextField(default="")
    parent_agent = models.TextField(default="")
    texts = JsonText(default=list)
    tools = JsonText(default=list)
    results = JsonText(default=list)

    class Meta:
        app_label = "observability"
        indexes = [models.Index(fields=["session", "started_at"], name="sessioncall_session")]

    def __str__(self) -> str:
        return self.call_id
