"""Legal holds: what they name is neither purged nor erased until they are released."""

from __future__ import annotations

from collections import defaultdict

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from observability import audit
from observability.text import clean, clean_name

from .models import HoldScope, LegalHold

_COLUMNS = {HoldScope.TEAM: "team", HoldScope.KEY: "key", HoldScope.SESSION: "session", HoldScope.CALL: "pk"}


def active() -> QuerySet[LegalHold]:
    """Holds that were not released."""
    return LegalHold.objects.filter(released_at=None)


def held() -> Q:
    """The calls that a hold names. Who deletes calls asks in the same transaction, behind `audit.lock`."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for scope, name in active().order_by().values_list("scope", "name"):
        names[scope].append(name)
    found = Q(pk__in=[])
    for scope, named in names.items():
        found |= Q(**{f"{_COLUMNS[HoldScope(scope)]}__in": named})
    return found


@transaction.atomic
def place(scope: str, name: str, reason: str, *, actor: str) -> LegalHold:
    """Keep what `name` names from now on. Raises ValidationError, which blames `scope`, `name` or `reason`."""
    name, reason = clean_name(name).strip(), clean(reason).strip()
    if scope not in HoldScope:
        raise ValidationError({"scope": "A team, a key, a session or a call."})
    if not name:
        raise ValidationError({"name": "What is to be kept?"})
    if not reason:
        raise ValidationError({"reason": "A hold needs a reason: somebody will ask for it."})
    # Whatever deletes calls holds this lock: the hold counts from here on.
    audit.lock()
    hold = LegalHold.objects.create(scope=scope, name=name, reason=reason, author=actor)
    detail = {"hold": hold.pk, "scope": scope, "name": name, "reason": reason}
    audit.record(actor=actor, action="hold.placed", subject=str(hold), detail=detail)
    return hold


@transaction.atomic
def release(hold: LegalHold, *, actor: str) -> bool:
    """Let what `hold` names go again; False where somebody did already."""
    if not active().filter(pk=hold.pk).update(released_at=timezone.now(), released_by=actor):
        return False
    audit.record(actor=actor, action="hold.released", subject=str(hold), detail={"hold": hold.pk})
    return True
