"""Labels of calls and verdicts. They are outside the chain: opinions may change, and each change is an audit event."""

from __future__ import annotations

from django.db import models

WHOLE_CALL, BY_CLIENT = -1, -2


class Label(models.TextChoices):
    TRUE_ALARM = "true_alarm", "true alarm"
    FALSE_ALARM = "false_alarm", "false alarm"
    MISSED = "missed", "missed"
    FINE = "fine", "fine"
    REPORTED = "reported", "reported"


CHOICES = tuple(label for label in Label if label is not Label.REPORTED)
"""Those that reviewers give, in the order of their keys; the client's own is REPORTED."""


class Review(models.Model):
    """What somebody makes of one verdict, or of a call.

    `position` is the verdict's, WHOLE_CALL, or BY_CLIENT where the client says that what it was told was wrong; then
    `by` is empty. A verdict's `policy` and `version` and the call's `team` are copied, so that labels can be counted.
    """

    pk = models.CompositePrimaryKey("call_id", "position")
    call_id = models.TextField()
    position = models.IntegerField()
    team = models.TextField()
    policy = models.TextField(default="")
    version = models.IntegerField(default=0)
    label = models.TextField(choices=Label.choices)
    comment = models.TextField(default="")
    by = models.TextField(default="")
    at = models.DateTimeField()

    class Meta:
        app_label = "observability"
        indexes = [
            models.Index(fields=["policy", "version", "label"], name="review_policy"),
            models.Index(fields=["at"], name="review_reported", condition=models.Q(position=BY_CLIENT)),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.call_id}"
