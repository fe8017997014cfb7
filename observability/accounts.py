"""Changes of users and groups as audit events: what the admin does, and passwords, whatever changes them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from .audit import record


class Audited:
    """Mixed into a ModelAdmin: what it puts into Django's own log is on record too. Field names, never values."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _done(request, "created", obj, message)
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _done(request, "changed", obj, message)
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            _done(request, "deleted", obj, [])
        return super().log_deletions(request, queryset)  # type: ignore[misc]


def _done(request: HttpRequest, verb: str, obj: Model, message: Any) -> None:
    detail = {"message": message} if message else {}
    record(actor=request.user.get_username(), action=f"{obj._meta.model_name}.{verb}", subject=str(obj), detail=detail)


def _saved(sender: object, instance: AbstractBaseUser, created: bool, **kwargs: object) -> None:
    name = instance.get_username()
    if created:
        record(actor="", action="user.appeared", subject=name)
    elif getattr(instance, "_password", None) is not None:  # which Django keeps until the save is over
        record(actor="", action="user.password_changed", subject=name)


def _deleted(sender: object, instance: AbstractBaseUser, **kwargs: object) -> None:
    record(actor="", action="user.disappeared", subject=instance.get_username())


def listen() -> None:
    """From now on users that come, go or get another password are on record, whoever and whatever does it."""
    model = get_user_model()
    post_save.connect(_saved, sender=model, dispatch_uid="observability.accounts")
    post_delete.connect(_deleted, sender=model, dispatch_uid="observability.accounts")
