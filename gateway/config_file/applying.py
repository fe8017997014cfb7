"""Makes the database what a configuration file says, by the services that the console uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from django.core.exceptions import ValidationError

from gateway import secrets, services
from gateway.config_file import retention
from gateway.config_file.document import Document
from gateway.config_file.errors import ConfigError, Path
from gateway.config_file.ladders import Ladders
from gateway.config_file.shape import File, KeyEntry, ProviderEntry, RouteEntry, place_order, suggestion
from gateway.models import ApiKey, Dialect, Fallback, ModelRoute, Provider
from policies import registry
from policies import services as policies
from policies.models import Policy

_FIELDS = {"registered_name": "policy", "redacted": "record"}
"""What the services call otherwise than the file does."""


class Applying:
    """One run over a file; `changes` says what was done. Call it within a transaction."""

    def __init__(self, document: Document, file: File, actor: str) -> None:
        self.changes: list[str] = []
        self._document = document
        self._file = file
        self._actor = actor

    def run(self) -> None:
        """Raises ConfigError at the first thing that cannot be done."""
        for section, apply in (
            ("providers", self._providers),
            ("models", self._routes),
            ("keys", self._keys),
            ("policies", self._policies),
            ("retention", self._retention),
        ):
            if self._file.has(section):
                apply()

    def _providers(self) -> None:
        for name, entry in self._file.providers.items():
            with self._at(("providers", name)):
                self._provider(name, entry)
        # The demo provider is there unless a file says otherwise.
        for other in Provider.objects.filter(enabled=True).exclude(dialect=Dialect.DEMO):
            if other.name not in self._file.providers:
                services.set_enabled(other, False, actor=self._actor)
                self.changes.append(f"provider {other} disabled")

    def _provider(self, name: str, entry: ProviderEntry) -> None:
        provider = Provider.objects.filter(name=name).first() or Provider(name=name)
        fields = entry.model_dump(exclude={"api_key"})
        credential = entry.api_key if entry.api_key is not None and _credential(provider) != entry.api_key else None
        if self._differs("provider", provider, fields, [] if credential is None else ["api_key"]):
            services.save_provider(provider, actor=self._actor, api_key=credential)

    def _routes(self) -> None:
        for place, entry in enumerate(self._file.models):
            with self._at(("models", place)):
                self._route(entry, place_order(entry, place))
        named = {entry.match for entry in self._file.models}
        for other in ModelRoute.objects.filter(enabled=True).exclude(provider__dialect=Dialect.DEMO):
            if other.match not in named:
                services.set_enabled(other, False, actor=self._actor)
                self.changes.append(f"route {other} disabled")

    def _route(self, entry: RouteEntry, order: int) -> None:
        provider = _provider_named(entry.provider, "provider")
        fallbacks = [
            Fallback(provider=_provider_named(target.provider, f"fallback.{number}.provider"), model=target.model)
            for number, target in enumerate(entry.fallback)
        ]
        route = ModelRoute.objects.filter(match=entry.match).first() or ModelRoute(match=entry.match)
        stored = [str(target) for target in route.fallbacks.select_related("provider")] if route.pk else []
        fields = {"provider_id": provider.pk, "model": entry.model, "wire": entry.wire}
        fields |= {"order": order, "enabled": entry.enabled}
        other = ["fallback"] if stored != [str(target) for target in fallbacks] else []
        if self._differs("route", route, fields, other):
            services.save_route(route, actor=self._actor, fallbacks=fallbacks)

    def _keys(self) -> None:
        for place, entry in enumerate(self._file.keys):
            with self._at(("keys", place)):
                self._key(entry)
        named = {entry.name for entry in self._file.keys}
        for other in ApiKey.objects.live():
            if other.name not in named:
                self._revoke(other)

    def _key(self, entry: KeyEntry) -> None:
        live = list(ApiKey.objects.live().filter(name=entry.name).select_related("team"))
        kept = live if entry.key is None else [key for key in live if key.digest == secrets.digest(entry.key)]
        if not kept:
            self._create_key(entry)
        for key in live:
            if key not in kept:
                self._revoke(key)
        for key in kept:
            team = key.team.name if key.team else ""
            if (team, key.can_read, key.can_call) != (entry.team, entry.read, entry.may_call):
                services.set_key_rights(key, team=entry.team, read=entry.read, call=entry.may_call, actor=self._actor)
                self.changes.append(f"key {key} changed")

    def _create_key(self, entry: KeyEntry) -> None:
        if entry.key is None:
            raise ValidationError({"key": "is missing, and no key of this name is stored"})
        services.create_key(
            entry.name,
            team=entry.team,
            read=entry.read,
            call=entry.may_call,
            actor=self._actor,
            secret=entry.key,
        )
        self.changes.append(f"key {entry.name} created")

    def _revoke(self, key: ApiKey) -> None:
        services.revoke_key(key, actor=self._actor)
        self.changes.append(f"key {key} ({key.prefix}) revoked")

    def _policies(self) -> None:
        ladders = Ladders(self._at, self._actor)
        for place, entry in enumerate(self._file.policies):
            ladders.apply(("policies", place), entry, place_order(entry, place))
        named = {entry.name for entry in self._file.policies}
        for other in Policy.objects.filter(activations__ended_at=None, activations__isnull=False).distinct():
            if other.name not in named:
                ladders.deactivate(other)
        self.changes += ladders.changes

    def _retention(self) -> None:
        gone = retention.stored()
        for path, period, days in retention.wanted(self._file.retention):
            gone.pop(period, None)
            with self._at(path):
                self._period(period, days)
        for period in gone:
            self._period(period, None)

    def _period(self, period: retention.Period, days: int | None) -> None:
        if change := retention.put(period, days, actor=self._actor):
            self.changes.append(change)

    def _differs(
        self, kind: str, row: Provider | ModelRoute, fields: dict[str, Any], other: Sequence[str] = ()
    ) -> bool:
        """Put `fields` on `row`; whether it has to be stored, for them or for the `other` fields that changed."""
        changed = [name for name, value in fields.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, fields[name])
        if row._state.adding:
            self.changes.append(f"{kind} {row} created")
        elif names := [*changed, *other]:
            self.changes.append(f"{kind} {row} changed: {', '.join(names)}")
        return row._state.adding or bool(changed or other)

    @contextmanager
    def _at(self, path: Path) -> Iterator[None]:
        """Names the line of whatever the services refuse about the entry at `path`."""
        try:
            yield
        except policies.InvalidPolicy as error:
            raise self._error(path, error.errors) from None
        except services.InvalidKey as error:
            raise self._error(path, [("key", str(error))]) from None
        except ValidationError as error:
            raise self._error(path, [(name, " ".join(texts)) for name, texts in error.message_dict.items()]) from None

    def _error(self, path: Path, errors: list[tuple[str, str]]) -> ConfigError:
        return ConfigError(
            [self._document.problem((*path, *_path(name)), self._worded(name, text)) for name, text in errors]
        )

    def _worded(self, field: str, text: str) -> str:
        if field != "registered_name":
            return text
        word = text.rpartition(" ")[2].strip("'\"")
        return text + suggestion(word, list(registry.catalogue()))


def _path(field: str) -> Path:
    if field in ("", "__all__"):
        return ()
    return tuple(int(part) if part.isdecimal() else _FIELDS.get(part, part) for part in field.split("."))


def _provider_named(name: str, field: str) -> Provider:
    """Raises ValidationError, which blames `field`."""
    provider = Provider.objects.filter(name=name).first()
    if provider is None:
        known = list(Provider.objects.values_list("name", flat=True))
        raise ValidationError({field: f"there is no {name}{suggestion(name, known)}"})
    return provider


def _credential(provider: Provider) -> str | None:
    """The stored credential, or None where there is none that can be read."""
    with suppress(secrets.Unreadable):
        return provider.api_key
    return None
