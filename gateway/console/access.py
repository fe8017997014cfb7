"""Who may see which page of the console.

Reading policies, making versions, putting them in force are rights of their own. Who may make versions may try them
out; over calls on record, if they may see these.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from observability import viewers
from observability.models import CallRecord

READ = "policies.view_policy"
WRITE = "policies.add_policyversion"
ACTIVATE = "policies.add_activation"
SEE_CALLS = "observability.view_callrecord"
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def needs(*permissions: str) -> Callable[[View[P]], View[P]]:
    """A view for people with all `permissions`; the others are told, strangers asked to log in."""

    def wrap(view: View[P]) -> View[P]:
        @wraps(view)
        def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not all(may(request, permission) for permission in permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return login_required(checked, login_url="login")

    return wrap


def may(request: HttpRequest, permission: str) -> bool:
    return isinstance(request.user, AbstractUser) and request.user.has_perm(permission)


def actor(request: HttpRequest) -> str:
    """Who does it, as the audit is told."""
    return request.user.get_username()


def visible_call(request: HttpRequest, id: str) -> CallRecord | None:
    """The call of that id, as far as whoever asks may see it."""
    return viewers.visible_call(request.user, id)
