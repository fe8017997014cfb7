"""What every page of the console and the admin can say of the record."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest

from observability import fail_open
from observability.viewers import sees_calls, teams_of


def alarms(request: HttpRequest) -> dict[str, Callable[[], list[fail_open.FailOpen]]]:
    """`fail_opens`, looked up when a template asks: for those who read calls, and for those who look after policies."""
    return {"fail_opens": lambda: _fail_opens(request)}


def _fail_opens(request: HttpRequest) -> list[fail_open.FailOpen]:
    user = request.user
    if sees_calls(user):
        return fail_open.recent(teams_of(user))
    minds_policies = isinstance(user, AbstractUser) and user.is_staff and user.has_perm("policies.view_policy")
    return fail_open.recent(teams_of(user)) if minds_policies else []
