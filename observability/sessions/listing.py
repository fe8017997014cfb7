"""Pages of sessions, those of the newest activity first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Q, QuerySet

from observability.models import CallRecord, SessionSummary
from observability.queries import Teams, visible_calls, with_outcome
from observability.search.language import Part
from observability.search.listing import read_number, refresh
from observability.search.marks import mark, read
from observability.search.matching import Found, find
from observability.search.wanted import wanted

PAGE = 50
FEW = 10
"""Calls that a page reads itself, where it is faster than the thread that does: large ones take a while."""
LOOKED_AT = 500
"""Of how many matching calls, at a time, the sessions are found."""
DIRECT = ("team", "key", "session")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Row:
    """A session's summary, and how many of its calls are running."""

    summary: SessionSummary
    running: int


@dataclass(frozen=True, slots=True)
class SessionPage:
    """`older` is the `before` of the page that follows, empty where none does."""

    rows: list[Row]
    older: str


def page_of(parts: Sequence[Part], *, before: str = "", limit: int = PAGE, teams: Teams = None) -> SessionPage:
    """Sessions with a call that matches every part, in the order of their newest one that does.

    Without parts, or for one team, key or session, they are read from the summaries alone. A `before` that is no page's
    `older` counts as empty.
    """
    refresh(FEW)
    if is_direct(parts):
        return _direct_page(parts, before, limit, teams)
    return _found_page(parts, before, limit, teams)


def is_direct(parts: Sequence[Part]) -> bool:
    """Whether an index of the summaries leads to the page."""
    if not parts:
        return True
    (first, *others) = parts
    return not others and first.name in DIRECT and not first.negated and len(first.values) == 1


def visible_sessions(teams: Teams = None) -> QuerySet[SessionSummary]:
    """The sessions in which a reader of `teams` may see calls, and what these amount to."""
    return SessionSummary.objects.all() if teams is None else SessionSummary.objects.filter(team__in=list(teams))


def running(sessions: Iterable[str], teams: Teams = None) -> dict[tuple[str, str], int]:
    """How many calls are open, by session and team."""
    calls = with_outcome(visible_calls(teams), "open").filter(session__in=list(sessions)).order_by()
    counts = calls.values_list("session", "team").annotate(count=Count("pk"))
    return {(session, team): count for session, team, count in counts}


def _rows(summaries: Sequence[SessionSummary], teams: Teams) -> list[Row]:
    counts = running([each.session for each in summaries], teams) if summaries else {}
    return [Row(each, counts.get((each.session, each.team), 0)) for each in summaries]


def _direct_page(parts: Sequence[Part], before: str, limit: int, teams: Teams) -> SessionPage:
    found = visible_sessions(teams).filter(**{part.name: part.values[0] for part in parts})
    if (place := _read_place(before)) is not None:
        at, id = place
        found = found.filter(Q(last_at__lt=at) | Q(id__lt=id), last_at__lte=at)
    summaries = list(found.order_by("-last_at", "-id")[: limit + 1])
    older = _place(summaries[limit - 1]) if len(summaries) > limit else ""
    return SessionPage(_rows(summaries[:limit], teams), older)


def _found_page(parts: Sequence[Part], before: str, limit: int, teams: Teams) -> SessionPage:
    """By the search index of calls. What it says is only where to look: who may see a session its summary says."""
    asked = wanted(parts, teams)
    below = read_number(before)
    found = find(asked, below, LOOKED_AT)
    newest: dict[tuple[str, str], Found] = {}
    last = None
    for entry in found:
        last = entry
        newest.setdefault(_session_of(entry), entry)
        if len(newest) > limit:
            break
    names = [name for name in newest if name[0]]
    shown_before = _matching_since(parts, names, below, teams)
    names = [name for name in names if name not in shown_before][:limit]
    summaries = {
        (each.session, each.team): each
        for each in visible_sessions(teams).filter(session__in=[session for session, _ in names])
    }
    more = last is not None and (len(newest) > limit or len(found) == LOOKED_AT)
    older = f"n{last.number + (len(newest) > limit)}" if more and last is not None else ""
    return SessionPage(_rows([summaries[name] for name in names if name in summaries], teams), older)


def _matching_since(
    parts: Sequence[Part], names: Sequence[tuple[str, str]], below: int | None, teams: Teams
) -> set[tuple[str, str]]:
    """Those of the sessions that stood on an earlier page, by a call that is newer."""
    if below is None or not names:
        return set()
    asked = wanted(parts, teams)
    asked.marks.append(tuple(mark("session", session) for session, _ in names))
    return {_session_of(entry) for entry in find(asked, None, LOOKED_AT * 4) if entry.number >= below}


def _session_of(entry: Found) -> tuple[str, str]:
    named = dict(read(word) for word in entry.marks.split(" "))
    return named.get("session", ""), named.get("team", "")


def _place(summary: SessionSummary) -> str:
    return f"{(summary.last_at - _EPOCH) // _MICROSECOND}-{summary.pk}"


def _read_place(text: str) -> tuple[datetime, int] | None:
    at, separator, id = text.partition("-")
    if not separator or not all(each.isascii() and each.isdecimal() and len(each) <= 17 for each in (at, id)):
        return None
    return _EPOCH + int(at) * _MICROSECOND, int(id)


def of_session(session: str, teams: Teams) -> list[SessionSummary]:
    """What the session amounts to for each of the teams that called in it, the newest first; nothing for strangers."""
    return list(visible_sessions(teams).filter(session=session).order_by("-last_at", "-id"))


def records(session: str, teams: Teams) -> QuerySet[CallRecord]:
    """The calls of a session that the reader may see, the oldest first."""
    return visible_calls(teams).filter(session=session).order_by("started_at", "id")
