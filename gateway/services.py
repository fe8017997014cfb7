"""The verbs: every change to teams, keys, providers and routes, each in one transaction and announced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from gateway import secrets
from gateway.models import (
    ApiKey,
    AppliedConfig,
    Dialect,
    Fallback,
    ModelRoute,
    Provider,
    Stop,
    Team,
    validate_credential,
)
from policies.services import touch_revision
from policies.signals import changed

MOST_FALLBACKS = 5
SYSTEM = "luthien"
"""The actor of what nobody asked for: the first start, a configuration file at start."""
DEMO = "demo"
_OPENAI_MODELS = ("gpt-*", "chatgpt-*", "o1*", "o3*", "o4*")
_FROM_ENVIRONMENT = (
    ("anthropic", Dialect.ANTHROPIC, "https://api.anthropic.com", "ANTHROPIC_API_KEY", ("claude-*",)),
    ("openai", Dialect.OPENAI, "https://api.openai.com/v1", "OPENAI_API_KEY", _OPENAI_MODELS),
)


class InvalidKey(ValueError):
    """The text of a key that cannot be accepted; says why, never the key."""


@transaction.atomic
def save_team(team: Team, *, actor: str) -> Team:
    """Raises ValidationError."""
    touch_revision()
    _store(team, "team", actor)
    return team


@transaction.atomic
def create_key(
    name: str, *, team: str | None = None, read: bool = False, call: bool = True, actor: str, secret: str | None = None
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is not kept. `team` is made if it is new; `secret` is one brought along.

    Raises ValidationError, and InvalidKey for a secret that is short, has blanks or is in use.
    """
    touch_revision()
    if secret is not None:
        _check_secret(secret)
    secret = secret or secrets.new_key()
    owner = _team(team, actor) if team else None
    key = ApiKey(name=name, team=owner, digest=secrets.digest(secret), can_call=call, can_read=read)
    # A key that somebody brought along may be short: no more than a third of it is ever shown.
    key.prefix = secret[: min(secrets.SHOWN, len(secret) // 3)]
    _store(key, "key", actor, team=team or "", call=call, read=read)
    return key, secret


@transaction.atomic
def set_key_rights(key: ApiKey, *, team: str | None, read: bool, call: bool, actor: str) -> None:
    """Give a key another team or other rights. Raises ValidationError."""
    touch_revision()
    key.team = _team(team, actor) if team else None
    key.can_read, key.can_call = read, call
    _store(key, "key", actor, team=team or "", call=call, read=read)


@transaction.atomic
def revoke_key(key: ApiKey, *, actor: str) -> None:
    """From now on the key opens nothing; nothing happens if it did not anyway."""
    touch_revision()
    if not ApiKey.objects.live().filter(pk=key.pk).update(revoked_at=timezone.now()):
        return
    key.refresh_from_db()
    _announce(actor, "key.revoked", key.name, prefix=key.prefix)


@transaction.atomic
def save_provider(provider: Provider, *, actor: str, api_key: str | None = None) -> Provider:
    """Store a provider. `api_key` None keeps the stored credential, "" removes it. Raises ValidationError."""
    touch_revision()
    if api_key is not None:
        try:
            validate_credential(api_key)
        except ValidationError as error:
            raise ValidationError({"api_key": error}) from None
        provider.sealed_api_key = secrets.seal(api_key)
    _store(provider, "provider", actor, base_url=provider.base_url, credential_changed=api_key is not None)
    return provider


@transaction.atomic
def set_enabled(row: Provider | ModelRoute, enabled: bool, *, actor: str) -> None:
    """Put a provider or a route in or out of use."""
    touch_revision()
    row.enabled = enabled
    row.save(update_fields=["enabled"])
    _announce(actor, f"{_kind(row)}.{'enabled' if enabled else 'disabled'}", str(row))


@transaction.atomic
def save_route(route: ModelRoute, *, actor: str, fallbacks: Sequence[Fallback] | None = None) -> ModelRoute:
    """Store a route, and whom to ask when its provider cannot answer; None keeps those. Raises ValidationError."""
    touch_revision()
    targets = list(route.fallbacks.all() if fallbacks is None and route.pk else fallbacks or ())
    check_fallbacks(route, targets)
    named = [str(target) for target in targets]
    detail = {"provider": route.provider.name, "model": route.model, "wire": route.wire, "order": route.order}
    _store(route, "route", actor, **detail, fallbacks=named)
    if fallbacks is not None:
        route.fallbacks.all().delete()
        Fallback.objects.bulk_create(Fallback(route=route, provider=t.provider, model=t.model) for t in targets)
    return route


def check_fallbacks(route: ModelRoute, targets: Sequence[Fallback]) -> None:
    """Raises ValidationError where `targets` cannot be asked in this order, or at all."""
    if len(targets) > MOST_FALLBACKS:
        raise ValidationError({"fallback": f"A route has at most {MOST_FALLBACKS} of them."})
    seen = {(route.provider.pk, route.model)}
    for target in targets:
        place = (target.provider.pk, target.model)
        if place in seen:
            raise ValidationError({"fallback": f"{target} is asked already: nobody is asked twice."})
        seen.add(place)


@transaction.atomic
def delete(row: Provider | ModelRoute | Team, *, actor: str) -> None:
    """Raises ProtectedError where something still refers to it."""
    touch_revision()
    name = str(row)
    row.delete()
    _announce(actor, f"{_kind(row)}.deleted", name)


@transaction.atomic
def first_run(actor: str = SYSTEM) -> str | None:
    """Make what a first start needs: the demo provider, its route and the key "default", whose secret is returned.

    Where that key was ever made, nothing of it comes back. A provider whose credential stands in the environment is
    added as long as there is none of its name; where clients bring their own, also without one, and marked for that.
    """
    touch_revision()
    _providers_from_environment(actor)
    if ApiKey.objects.filter(name="default").exists():
        return None
    if not Provider.objects.filter(name=DEMO).exists():
        demo = save_provider(Provider(name=DEMO, dialect=Dialect.DEMO, passthrough=_passthrough()), actor=actor)
        save_route(ModelRoute(match="demo/*", provider=demo), actor=actor)
    return create_key("default", actor=actor)[1]


@transaction.atomic
def stop_calls(kind: Stop.Kind, team: str, name: str, *, actor: str) -> None:
    """End the calls of a key or a session, in all processes, and refuse more of them until that is lifted."""
    touch_revision()
    _, new = Stop.objects.get_or_create(kind=kind, team=team, name=name, lifted_at=None, defaults={"actor": actor})
    if new:
        _announce(actor, f"{kind}.stopped", name, team=team)


@transaction.atomic
def lift_stop(stop: Stop, *, actor: str) -> None:
    """Let the calls of a stopped key or session begin again."""
    touch_revision()
    if Stop.objects.filter(pk=stop.pk, lifted_at=None).update(lifted_at=timezone.now()):
        _announce(actor, f"{stop.kind}.let_go_on", stop.name, team=stop.team)


def note_use(key_ids: set[int]) -> None:
    """Remember that these keys were used about now. No change to what is in force."""
    now = timezone.now()
    stale = models.Q(last_used_at=None) | models.Q(last_used_at__lt=now - timedelta(seconds=30))
    ApiKey.objects.filter(stale, pk__in=key_ids).update(last_used_at=now)


@transaction.atomic
def note_applied(digest: str, *, actor: str) -> None:
    """Remember which configuration file was applied last."""
    AppliedConfig.objects.create(digest=digest, actor=actor)


def _providers_from_environment(actor: str) -> None:
    for name, dialect, base_url, variable, matches in _FROM_ENVIRONMENT:
        credential = getattr(settings, variable)
        if not (credential or _passthrough()) or Provider.objects.filter(name=name).exists():
            continue
        provider = Provider(name=name, dialect=dialect, base_url=base_url, passthrough=_passthrough())
        save_provider(provider, actor=actor, api_key=credential)
        for match in matches:
            if not ModelRoute.objects.filter(match=match).exists():
                save_route(ModelRoute(match=match, provider=provider, order=100), actor=actor)


def _passthrough() -> bool:
    return bool(settings.LUTHIEN_AUTH != "keys")


def _team(name: str, actor: str) -> Team:
    return Team.objects.filter(name=name).first() or save_team(Team(name=name), actor=actor)


def _check_secret(secret: str) -> None:
    if len(secret) < secrets.MIN_LENGTH or not secret.isascii() or any(not c.isprintable() or c == " " for c in secret):
        raise InvalidKey(f"a key has at least {secrets.MIN_LENGTH} characters, in ASCII, and no blanks")
    if ApiKey.objects.filter(digest=secrets.digest(secret)).exists():
        raise InvalidKey("this key is in use already, or was revoked")


def _store(row: models.Model, kind: str, actor: str, **detail: Any) -> None:
    verb = "created" if row._state.adding else "changed"
    row.full_clean()
    row.save()
    _announce(actor, f"{kind}.{verb}", str(row), **detail)


def _kind(row: models.Model) -> str:
    return "route" if isinstance(row, ModelRoute) else type(row).__name__.lower()


def _announce(actor: str, action: str, subject: str, **detail: Any) -> None:
    changed.send(sender=ApiKey, actor=actor, action=action, subject=subject, detail=detail)
