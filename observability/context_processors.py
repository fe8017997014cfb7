"""What every page of the console and the admin can say of the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest

from .figures import fail_open
from .jobs import standing
from .viewers import sees_calls, teams_of


def alarms(request: HttpRequest) -> dict[str, Callable[[], Any]]:
    """`fail_opens` and `bytes_waiting`, looked up when a template asks.

    The first are for those who read calls, and for those who look after policies, the other for those who see jobs.
    """
    return {"fail_opens": lambda: _fail_opens(request), "bytes_waiting": lambda: _bytes_waiting(request)}


def _bytes_waiting(request: HttpRequest) -> int:
    user = request.user
    sees_jobs = isinstance(user, AbstractUser) and user.has_perm("observability.view_job")
    return standing.bytes_waiting() if sees_jobs else 0


def _fail_opens(request: HttpRequest) -> list[fail_open.FailOpen]:
    user = request.user
    if sees_calls(user):
        return fail_open.recent(teams_of(user))
    minds_policies = isinstance(user, AbstractUser) and user.is_staff and user.has_perm("policies.view_policy")
    return fail_open.recent(teams_of(user)) if minds_policies else []
