"""Endpoints, and what they were or are to be told."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.db import models
from django.utils import timezone

from gateway import secrets


class Endpoint(models.Model):
    """An address that is told of `events` in the calls of `team`, or of all where that is empty.

    `busy_until` is set by the worker that delivers to it, so that there is one, and it keeps the order. The secret is
    encrypted, and written only by `gateway.notifications.services`.
    """

    name = models.CharField(max_length=100, unique=True)
    url = models.CharField("URL", max_length=2000)
    team = models.CharField(max_length=100, blank=True)
    events = models.JSONField(default=list)
    sealed_secret = models.BinaryField(default=b"", editable=False)
    enabled = models.BooleanField(default=True)
    busy_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def host(self) -> str:
        """What of the address may be shown to all who see the endpoint: the rest may be a secret."""
        return urlsplit(self.url).hostname or ""

    @property
    def secret(self) -> str:
        """In clear. Raises secrets.Unreadable."""
        return secrets.unseal(self.sealed_secret)


class DeliveryState(models.TextChoices):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(models.Model):
    """One message to one endpoint. `body` is what is sent, byte for byte, at each attempt.

    `last_status` is the last answer's; empty where there was none. `last_error` says in a sentence what was wrong.
    """

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries")
    event_id = models.TextField()
    event = models.TextField()
    call_id = models.TextField(blank=True, db_index=True)
    body = models.TextField()
    state = models.TextField(choices=DeliveryState.choices, default=DeliveryState.PENDING)
    attempts = models.IntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(default=timezone.now)
    give_up_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    last_status = models.IntegerField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["endpoint", "event_id"], name="delivery_once")]
        indexes = [
            models.Index(fields=["endpoint", "next_at", "id"], condition=models.Q(state="pending"), name="delivery_due")
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"
