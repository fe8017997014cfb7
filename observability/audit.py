"""What people and commands change, as audit events in the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.db.models import Model
from django.dispatch import receiver
from django.http import HttpRequest

from policies.signals import changed

from . import policy_rows
from .models import AuditEvent, ChainHead
from .rows.chain import Chain, audit_leaf
from .text import clean, clean_name, json_text

CHAIN = "audit"


def record(
    *,
    actor: str,
    action: str,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
    commits: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Put an event on record, in the caller's transaction if there is one. `detail` holds no secret.

    `commits` is what the event proves: the leaves of changed rows (`policy_rows`), or a tombstone.
    """
    row = {
        "at": datetime.now(UTC),
        "actor": clean_name(actor),
        "action": clean_name(action),
        "subject": clean(subject),
        "detail": orjson.loads(json_text(dict(detail or {}))),
        "commits": orjson.loads(json_text(dict(commits or {}))),
    }
    with transaction.atomic():
        head = lock()
        value = bytes(head.chain)
        chain = Chain(CHAIN, head.sequence, value) if value else Chain(CHAIN)
        link = chain.extend(audit_leaf(row))
        head.sequence, head.chain = link.sequence, link.chain
        head.save(update_fields=["sequence", "chain"])
        return AuditEvent.objects.create(
            **row, boot_id=link.boot_id, sequence=link.sequence, leaf=link.leaf, chain=link.chain
        )


def lock() -> ChainHead:
    """The end of the chain, which nobody else extends before the caller's transaction ends.

    Events have one order over all processes, which this row's lock gives them (on SQLite the transaction's).
    """
    ChainHead.objects.get_or_create(name=CHAIN)
    return ChainHead.objects.select_for_update().get(name=CHAIN)


@receiver(changed)
def _changed(
    sender: object,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
    rows: Iterable[Model] = (),
    **kwargs: object,
) -> None:
    record(actor=actor, action=action, subject=subject, detail=detail, commits=policy_rows.commitments(rows))


@receiver(user_logged_in)
def _logged_in(sender: object, request: HttpRequest | None, user: AbstractBaseUser, **kwargs: object) -> None:
    record(actor=user.get_username(), action="user.logged_in", subject=user.get_username(), detail=_origin(request))


@receiver(user_logged_out)
def _logged_out(sender: object, request: HttpRequest | None, user: AbstractBaseUser | None, **kwargs: object) -> None:
    if user is not None:
        record(actor=user.get_username(), action="user.logged_out", subject=user.get_username())


@receiver(user_login_failed)
def _login_failed(
    sender: object, credentials: Mapping[str, Any], request: HttpRequest | None = None, **kwargs: object
) -> None:
    subject = known_name(str(credentials.get("username", "")))
    record(actor="", action="user.login_failed", subject=subject, detail=_origin(request))


def known_name(name: str) -> str:
    """`name` if a user has it, else empty: whoever typed a password into the wrong field must not find it on record."""
    from django.contrib.auth import get_user_model

    model = get_user_model()
    known = "\0" not in name and model._default_manager.filter(**{model.USERNAME_FIELD: name}).exists()
    return name if known else ""


def _origin(request: HttpRequest | None) -> dict[str, str]:
    return {} if request is None else {"address": request.META.get("REMOTE_ADDR", "")}
