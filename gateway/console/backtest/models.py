"""Backtests and what they found. No content of a call is kept here: it stays on the record, and is replayed again."""

from __future__ import annotations

from django.db import models

from gateway.console.labels import label
from observability.models import Job, JobState


class Backtest(models.Model):
    """One run of a policy version, or of a draft (version 0), over recorded calls.

    What it found is whole only once its job is done. `in_force` are the keys of the activations that it is compared
    with, `teams` those whose calls it may read, None for all.
    """

    job = models.OneToOneField(Job, models.CASCADE, related_name="backtest")
    policy = models.TextField()
    version = models.PositiveIntegerField()
    registered_name = models.TextField()
    config = models.JSONField()
    together = models.BooleanField()
    judges = models.BooleanField()
    filters = models.JSONField(default=dict)
    most = models.PositiveIntegerField()
    teams = models.JSONField(null=True)
    in_force = models.JSONField(default=list)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return label(self.policy, self.version, self.registered_name)

    @property
    def is_whole(self) -> bool:
        return self.job.state == JobState.DONE

    @property
    def is_over(self) -> bool:
        return self.job.is_over


class BacktestCall(models.Model):
    """One call of a backtest. `then` is what became of it, `now` what would by what is in force, `new` by the subject.

    Where it could not be replayed, `problem` says why and the three are empty. `judgements` are what judges said, by
    the digest of their question. Times are in milliseconds.
    """

    pk = models.CompositePrimaryKey("backtest_id", "position")
    backtest = models.ForeignKey(Backtest, models.CASCADE, related_name="calls", db_index=False)
    position = models.PositiveIntegerField()
    call_id = models.TextField(db_index=True)
    then = models.TextField(default="")
    now = models.TextField(default="")
    new = models.TextField(default="")
    since_then = models.TextField(default="unknown")
    since_now = models.TextField(default="unknown")
    reason = models.TextField(default="")
    problem = models.TextField(default="")
    now_ms = models.FloatField(default=0)
    new_ms = models.FloatField(default=0)
    judge_microdollars = models.BigIntegerField(default=0)
    judgements = models.JSONField(default=dict)

    class Meta:
        ordering = ["position"]
