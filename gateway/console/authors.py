"""Who may try policies out: those who may write them."""

from __future__ import annotations

from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from observability import queries
from observability.models import CallRecord
from observability.text import clean_name
from observability.viewers import User, sees_calls, teams_of

WRITES = "policies.add_policyversion"


def _writes_or_is_told(user: User) -> bool:
    if user.is_authenticated and not (isinstance(user, AbstractUser) and user.has_perm(WRITES)):
        raise PermissionDenied
    return user.is_authenticated


for_authors = user_passes_test(_writes_or_is_told, login_url="login")


def visible_call(request: HttpRequest, id: str) -> CallRecord | None:
    """The call of that id, if whoever asks may see it."""
    return queries.call(clean_name(id), teams_of(request.user)) if sees_calls(request.user) else None
