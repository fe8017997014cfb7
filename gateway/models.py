"""Who may call, and where calls go."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from gateway import secrets
from gateway.console.backtest.models import Backtest as Backtest
from gateway.console.backtest.models import BacktestCall as BacktestCall
from gateway.notifications.models import Delivery as Delivery
from gateway.notifications.models import Endpoint as Endpoint
from gateway.upstreams.headers import may_be_configured
from gateway.upstreams.litellm.names import name_problem, option_problems

_name = RegexValidator(r"^[^\s/:]+\Z", "Use one word without slash or colon.")
_url = RegexValidator(r"^https?://[^\s?#]+\Z", "An http or https URL without query.")
_seconds = (MinValueValidator(0.1), MaxValueValidator(3600))


def validate_credential(value: str) -> None:
    """A credential goes into a header as it is. Raises ValidationError, which does not quote it."""
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise ValidationError("A credential is ASCII without blanks.")


def validate_key_name(value: str) -> None:
    """Raises ValidationError."""
    if value.startswith("passthrough:"):
        raise ValidationError("Callers with a credential of their own have names that begin so.")


class Dialect(models.TextChoices):
    """What a provider speaks."""

    ANTHROPIC = "anthropic", "Anthropic Messages"
    OPENAI = "openai", "OpenAI"
    LITELLM = "litellm", "Another, through litellm"
    DEMO = "demo", "Demo (built in, needs no network)"


class Wire(models.TextChoices):
    """What translated calls are sent as, to a provider that speaks more than one dialect."""

    USUAL = "", "Chat Completions"
    RESPONSES = "responses", "Responses"


PASSES_CREDENTIALS_ON = frozenset({Dialect.ANTHROPIC, Dialect.OPENAI, Dialect.DEMO})
"""Dialects of which a provider may be asked with the client's credential; the demo provider looks at none."""


class Team(models.Model):
    name = models.CharField(max_length=100, unique=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class ApiKeys(models.QuerySet["ApiKey"]):
    def live(self) -> ApiKeys:
        return self.filter(revoked_at=None)


class ApiKey(models.Model):
    """A client's key. Only its keyed hash is kept; `prefix` is the part of it that may be shown."""

    name = models.CharField(
        max_length=100,
        db_index=True,
        validators=[validate_key_name],
        help_text="What call records and policy scopes call it.",
    )
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="keys")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=secrets.SHOWN, editable=False)
    can_call = models.BooleanField("may call models", default=True)
    can_read = models.BooleanField(
        "may read records", default=False, help_text="Its team's records; everybody's if it has no team."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiKeys.as_manager()

    class Meta:
        ordering = ("name", "id")
        verbose_name = "API key"

    def __str__(self) -> str:
        return self.name


class Provider(models.Model):
    """A place that answers calls. `sealed_api_key` is encrypted, and written only by gateway.services."""

    name = models.CharField(max_length=100, unique=True, validators=[_name])
    dialect = models.CharField(max_length=20, choices=Dialect)
    litellm_provider = models.CharField(
        "litellm's name", max_length=50, blank=True, help_text="What litellm calls this provider, such as gemini."
    )
    litellm_options = models.JSONField(
        default=dict,
        blank=True,
        help_text='What litellm needs beside the key, such as {"aws_region_name": "eu-central-1"}.',
    )
    base_url = models.CharField("base URL", max_length=500, blank=True, validators=[_url])
    sealed_api_key = models.BinaryField(default=b"", blank=True, editable=False)
    passthrough = models.BooleanField(
        default=False, help_text="Clients may bring their own credential for this provider."
    )
    responses = models.BooleanField(
        "has Responses", default=True, help_text="Whether an OpenAI provider answers /responses, beside chat."
    )
    connect_timeout = models.FloatField(default=10, validators=_seconds, help_text="Seconds to connect.")
    first_byte_timeout = models.FloatField(default=600, validators=_seconds, help_text="Seconds until it answers.")
    idle_timeout = models.FloatField(default=300, validators=_seconds, help_text="Seconds of silence in an answer.")
    extra_headers = models.JSONField(
        default=dict,
        blank=True,
        help_text='Headers put on every request, such as {"x-org": "payments"}. Not encrypted.',
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.dialect in (Dialect.ANTHROPIC, Dialect.OPENAI) and not self.base_url:
            raise ValidationError({"base_url": "This provider needs a base URL."})
        if problem := name_problem(self.litellm_provider, wanted=self.dialect == Dialect.LITELLM):
            raise ValidationError({"litellm_provider": problem})
        for problem in option_problems(self.litellm_options):
            raise ValidationError({"litellm_options": problem})
        if self.passthrough and self.dialect not in PASSES_CREDENTIALS_ON:
            raise ValidationError({"passthrough": "Clients cannot bring their own credential for this dialect."})
        for problem in _header_problems(self.extra_headers):
            raise ValidationError({"extra_headers": problem})

    @property
    def api_key(self) -> str:
        """The credential in clear; empty if there is none. Raises secrets.Unreadable."""
        return secrets.unseal(self.sealed_api_key)


class ModelRoute(models.Model):
    """Which provider serves a public model name: exact names first, then patterns in ascending order."""

    match = models.CharField(max_length=200, unique=True, help_text="A model's name, or a pattern such as claude-*")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="routes")
    model = models.CharField(max_length=200, blank=True, help_text="The provider's name for it; empty: the same.")
    wire = models.CharField(
        "translated to",
        max_length=20,
        choices=Wire,
        blank=True,
        default=Wire.USUAL,
        help_text="What an OpenAI provider is sent where the client speaks another dialect.",
    )
    order = models.IntegerField(default=0)
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ("order", "id")

    def __str__(self) -> str:
        return self.match

    def clean(self) -> None:
        if self.wire and self.provider_id and self.provider.dialect not in (Dialect.OPENAI, Dialect.DEMO):
            raise ValidationError({"wire": "Only a provider that speaks OpenAI's dialects has this choice."})


class Fallback(models.Model):
    """Whom to ask in place of a route's provider when that one cannot answer; in the order in which they were made."""

    route = models.ForeignKey(ModelRoute, models.CASCADE, related_name="fallbacks")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+")
    model = models.CharField(max_length=200, blank=True, help_text="The provider's name for it; empty: the same.")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}" if self.model else str(self.provider)


class Stop(models.Model):
    """A key or a session whose calls were ended, and are refused until `lifted_at`. Names as call records have them."""

    class Kind(models.TextChoices):
        KEY = "key"
        SESSION = "session"

    kind = models.CharField(max_length=10, choices=Kind)
    team = models.TextField(blank=True)
    name = models.TextField()
    actor = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "team", "name"), condition=models.Q(lifted_at=None), name="stop_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class AppliedConfig(models.Model):
    """That a configuration file was applied. `digest` is a keyed hash of it with its variables filled in."""

    digest = models.CharField(max_length=64)
    actor = models.CharField(max_length=150)
    applied_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.applied_at:%Y-%m-%d %H:%M} by {self.actor}"


def _header_problems(headers: object) -> list[str]:
    if not isinstance(headers, Mapping):
        return ["A JSON object of header names and values."]
    return [
        f"{name!r} cannot be set as a header here."
        for name, value in headers.items()
        if not (isinstance(value, str) and may_be_configured(name, value))
    ]
