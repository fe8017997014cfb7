"""Who may make which report, and get which file."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from observability.exporters import EXPORTERS
from observability.exporters.base import EventExporter, Exporter
from observability.queries import Teams
from observability.viewers import User, sees_bodies, teams_of

from .models import Report

MAKE = "observability.add_report"
EVENTS = "observability.view_auditevent"
ALL = "observability.change_report"
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def for_makers(view: View[P]) -> View[P]:
    """A view for people who may make reports; the others are told, strangers asked to log in."""

    @wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not has(request.user, MAKE):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(checked, login_url="login")


def has(user: User, permission: str) -> bool:
    return isinstance(user, AbstractUser) and user.has_perm(permission)


def may_make(user: User, exporter: type[Exporter]) -> bool:
    """Audit events tell of all teams, so who is limited to some gets none of them."""
    return not issubclass(exporter, EventExporter) or (has(user, EVENTS) and teams_of(user) is None)


def seen_teams(user: User) -> Teams:
    """The teams of whose calls `user` may see what was said."""
    return teams_of(user) if sees_bodies(user) else []


def visible(user: User) -> QuerySet[Report]:
    """The reports that `user` made, and the others too for those who may see all, of all teams."""
    rows = Report.objects.select_related("job")
    return rows if has(user, ALL) and teams_of(user) is None else rows.filter(job__created_by=user.get_username())


def found(request: HttpRequest, pk: int) -> Report:
    """The report of that key, if whoever asks may know of it. Raises Http404."""
    report = visible(request.user).filter(pk=pk).first()
    if report is None:
        raise Http404
    return report


def may_get(user: User, report: Report) -> bool:
    """Whether `user` may, now, see all that is in the file."""
    exporter = EXPORTERS.get(report.kind)
    if exporter is None or not may_make(user, exporter):
        return False
    sees = covers(seen_teams(user), report.seen_teams)
    return covers(teams_of(user), report.teams) and (sees or report.seen_teams == [])


def covers(mine: Teams, asked: Teams) -> bool:
    """Whether who sees the teams `mine` sees all of `asked`; None is all teams."""
    return mine is None or (asked is not None and set(asked) <= set(mine))
