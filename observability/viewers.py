"""Whose calls a person may read, and how much of them: one rule, for the pages and for the APIs."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from . import queries
from .models import CallRecord
from .queries import Teams
from .text import clean_name

TEAM_GROUP = "team:"
"""A user group of this name and a team's, such as `team:payments`, limits its members to the calls of that team."""

LIMITED = "team"
"""The group of those who read the calls of their teams alone: whoever is in no group of a team sees none."""

User = AbstractBaseUser | AnonymousUser


class Sight(NamedTuple):
    """What somebody may see: calls of these teams, None for all, and whether also what is said in them."""

    teams: Teams = None
    bodies: bool = True


def sees_calls(user: User) -> bool:
    """Whether `user` may read call records."""
    return isinstance(user, AbstractUser) and user.has_perm("observability.view_callrecord")


def sees_bodies(user: User) -> bool:
    """Whether `user` may read what is said in the calls that they see, and not only what became of them.

    Words are in bodies, headers, notes, reasons, evidence and error messages.
    """
    return sees_calls(user) and isinstance(user, AbstractUser) and user.has_perm("observability.view_body")


def _sees_calls_or_is_told(user: User) -> bool:
    # Who is logged in already is not helped by the login page.
    if user.is_authenticated and not sees_calls(user):
        raise PermissionDenied
    return user.is_authenticated


for_reviewers = user_passes_test(_sees_calls_or_is_told, login_url="login")
"""A view for those who read call records."""


def sight_of(user: User) -> Sight:
    """What `user` may see, provided that `sees_calls`."""
    return Sight(teams_of(user), sees_bodies(user))


def visible_call(user: User, id: str) -> CallRecord | None:
    """The call of that id as `user` may see it: None where not at all, and without words unless `sees_bodies`."""
    if not sees_calls(user):
        return None
    return queries.call(clean_name(id), teams_of(user), bodies=sees_bodies(user))


def teams_of(user: User) -> Teams:
    """The teams whose calls `user` may see, provided that `sees_calls`; None for all.

    Superusers see all. Others see all too, unless they are in groups of teams, or in the group LIMITED: then these
    teams alone.
    """
    if not isinstance(user, AbstractUser) or user.is_superuser:
        return None
    groups = list(user.groups.values_list("name", flat=True))
    teams = [name.removeprefix(TEAM_GROUP) for name in groups if name.startswith(TEAM_GROUP)]
    return teams if teams or LIMITED in groups else None


def user_of(session_key: str | None) -> User:
    """Who is logged in by that session now: for those who stay longer than a request."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return get_user(request)
