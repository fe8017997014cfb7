"""Keeping the rows of sessions beside the record, in the transactions of the search index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Least

from ..models import CallRecord, SessionCall, SessionSummary
from .steps import Steps, agent_of, client_of

FIGURES = ("calls", "blocked", "changed", "failed", "input_tokens", "output_tokens", "cost_microdollars")
READ = ("steps", "answer", "opening", "setting", "agent", "parent_agent", "texts", "tools", "results")
COLUMNS = (
    *("id", "session", "team", "key", "model", "outcome", "changed_request", "changed_response"),
    *("input_tokens", "output_tokens", "cost_microdollars"),
)
STOPPED = ("blocked", "refused")
WENT_WELL = ("finished", "cancelled", "open", *STOPPED)

Name = tuple[str, str]
"""A session and a team."""


@transaction.atomic
def add(read: Iterable[tuple[Any, Steps]]) -> None:
    """Put calls into the stories of their sessions, and those that are over into the figures, each once.

    A call has the columns of its record. Others may do the same at the same time.
    """
    calls = {call.id: (call, steps) for call, steps in read if call.session}
    if not calls:
        return
    SessionCall.objects.bulk_create(
        [_row(call, steps) for call, steps in calls.values()],
        update_conflicts=True,
        unique_fields=["call_id"],
        update_fields=READ,
    )
    over = [id for id, (call, _) in calls.items() if call.outcome != "open"]
    # Whoever locks the row counts the call.
    free = SessionCall.objects.select_for_update().filter(pk__in=over, is_counted=False).order_by("pk")
    counted = list(free.values_list("pk", flat=True))
    SessionCall.objects.filter(pk__in=counted).update(is_counted=True)
    _begin([call for call, _ in calls.values()])
    figures = _sums([calls[id][0] for id in counted])
    for name in sorted(figures):
        _move(name, figures[name], 1)


@transaction.atomic
def forget(call_ids: Sequence[str]) -> None:
    """Take calls out again, which still have their records; a session of which none is left goes whole."""
    counted = SessionCall.objects.select_for_update().filter(pk__in=call_ids, is_counted=True).order_by("pk")
    figures = _sums(CallRecord.objects.filter(pk__in=list(counted.values_list("pk", flat=True))).only(*COLUMNS))
    touched = set(SessionCall.objects.filter(pk__in=call_ids).values_list("session", flat=True))
    SessionCall.objects.filter(pk__in=call_ids).delete()
    for name in sorted(figures):
        _move(name, figures[name], -1)
    for session in sorted(touched):
        _settle(session)


def _row(call: Any, steps: Steps) -> SessionCall:
    agent, parent = agent_of(call.request_headers)
    values: dict[str, Any] = {
        "call_id": call.id,
        "session": call.session,
        "started_at": call.started_at,
        "steps": steps.request,
        "answer": steps.answer,
        "opening": steps.opening,
        "setting": steps.setting,
        "agent": agent,
        "parent_agent": parent,
        "texts": list(steps.texts),
        "tools": [asdict(tool) for tool in steps.tools],
        "results": list(steps.results),
    }
    return SessionCall(**values)


def _begin(calls: Iterable[Any]) -> None:
    """A summary for each session that has none, and the times and names of all."""
    of_session: defaultdict[Name, list[Any]] = defaultdict(list)
    for call in calls:
        of_session[call.session, call.team].append(call)
    ordered = {name: sorted(of_session[name], key=lambda call: call.started_at) for name in sorted(of_session)}
    SessionSummary.objects.bulk_create(
        [_summary(name, found) for name, found in ordered.items()], ignore_conflicts=True
    )
    for (session, team), found in ordered.items():
        last = found[-1]
        SessionSummary.objects.filter(session=session, team=team).update(
            key=last.key,
            model=last.model,
            client=client_of(last.request_headers),
            started_at=Least(F("started_at"), found[0].started_at),
            last_at=Greatest(F("last_at"), _last_at(found)),
        )


def _summary(name: Name, calls: Sequence[Any]) -> SessionSummary:
    session, team = name
    first, last = calls[0], calls[-1]
    return SessionSummary(
        session=session,
        team=team,
        key=last.key,
        model=last.model,
        started_at=first.started_at,
        last_at=_last_at(calls),
    )


def _last_at(calls: Iterable[Any]) -> Any:
    return max(call.closed_at or call.started_at for call in calls)


def _sums(calls: Iterable[Any]) -> dict[Name, dict[str, int]]:
    sums: defaultdict[Name, dict[str, int]] = defaultdict(lambda: dict.fromkeys(FIGURES, 0))
    for call in calls:
        figures = sums[call.session, call.team]
        for name, value in _figures(call).items():
            figures[name] += value
    return sums


def _figures(call: Any) -> dict[str, int]:
    return {
        "calls": 1,
        "blocked": int(call.outcome in STOPPED),
        "changed": int(call.changed_request or call.changed_response),
        "failed": int(call.outcome not in WENT_WELL),
        "input_tokens": call.input_tokens or 0,
        "output_tokens": call.output_tokens or 0,
        "cost_microdollars": call.cost_microdollars or 0,
    }


def _move(name: Name, figures: dict[str, int], sign: int) -> None:
    session, team = name
    changes = {each: F(each) + sign * value for each, value in figures.items() if value}
    SessionSummary.objects.filter(session=session, team=team).update(**changes)


def _settle(session: str) -> None:
    """What is left of a session begins with its first call that is left; without any it goes."""
    for summary in SessionSummary.objects.filter(session=session):
        calls = CallRecord.objects.filter(session=session, team=summary.team)
        left = SessionCall.objects.filter(session=session, call_id__in=calls.values("pk")).order_by("started_at")
        first = left.values_list("started_at", flat=True).first()
        if first is None:
            summary.delete()
        elif first != summary.started_at:
            SessionSummary.objects.filter(pk=summary.pk).update(started_at=first)
