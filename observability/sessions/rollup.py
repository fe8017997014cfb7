"""Keeping the rows of sessions beside the record, in the transactions of the search index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from observability.models import CallRecord, SessionCall
from observability.text import json_text

from .steps import Steps, agent_of, client_of

FIGURES = ("calls", "blocked", "changed", "failed", "input_tokens", "output_tokens", "cost_microdollars")
READ = ("steps", "answer", "opening", "setting", "agent", "parent_agent", "texts", "tools", "results")
COLUMNS = (
    *("id", "session", "team", "key", "model", "outcome", "changed_request", "changed_response"),
    *("input_tokens", "output_tokens", "cost_microdollars"),
)
STOPPED = ("blocked", "refused")
WENT_WELL = ("finished", "cancelled", "open", *STOPPED)

_PLACE = ("call_id", "session", "started_at", "is_counted", *READ)
_SESSION = ("session", "team", "key", "model", "client", "started_at", "last_at", *FIGURES)
# A batch touches as many sessions as there are agents at work; the ORM would take longer over them than all else takes.
_KEEP_CALL = (
    f"INSERT INTO observability_sessioncall ({', '.join(_PLACE)}) VALUES ({', '.join(['%s'] * len(_PLACE))}) "  # noqa: S608
    f"ON CONFLICT (call_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in READ)}"
)
_MOVE = (
    f"INSERT INTO observability_sessionsummary AS kept ({', '.join(_SESSION)}) "  # noqa: S608
    f"VALUES ({', '.join(['%s'] * len(_SESSION))}) ON CONFLICT (session, team) DO UPDATE SET "
    "key = excluded.key, model = excluded.model, client = excluded.client, "
    "started_at = CASE WHEN excluded.started_at < kept.started_at THEN excluded.started_at ELSE kept.started_at END, "
    "last_at = CASE WHEN excluded.last_at > kept.last_at THEN excluded.last_at ELSE kept.last_at END, "
    + ", ".join(f"{name} = kept.{name} + excluded.{name}" for name in FIGURES)
)
_SUBTRACT = (
    f"UPDATE observability_sessionsummary SET {', '.join(f'{name} = {name} - %s' for name in FIGURES)} "  # noqa: S608
    "WHERE session = %s AND team = %s"
)
_LEFT = (
    "SELECT place.started_at FROM observability_sessioncall AS place WHERE place.session = %s AND EXISTS ("
    "SELECT 1 FROM observability_callrecord AS call WHERE call.id = place.call_id "
    "AND call.team = observability_sessionsummary.team) ORDER BY place.started_at LIMIT 1"
)
"""When the first call of a session that is left began, if one is; it stops at the first."""
_END = f"DELETE FROM observability_sessionsummary WHERE session = %s AND NOT EXISTS ({_LEFT})"  # noqa: S608
_BEGIN = (
    f"UPDATE observability_sessionsummary SET started_at = ({_LEFT}) "  # noqa: S608
    f"WHERE session = %s AND started_at <> ({_LEFT})"
)

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
    # In one order everywhere, or two who do the same could lock each other out.
    _run(_KEEP_CALL, [_row(*calls[id]) for id in sorted(calls)])
    over = [id for id, (call, _) in calls.items() if call.outcome != "open"]
    # Whoever locks the row counts the call.
    free = SessionCall.objects.select_for_update().filter(pk__in=over, is_counted=False).order_by("pk")
    counted = list(free.values_list("pk", flat=True))
    SessionCall.objects.filter(pk__in=counted).update(is_counted=True)
    figures = _sums(calls[id][0] for id in counted)
    of_session: defaultdict[Name, list[Any]] = defaultdict(list)
    for call, _ in calls.values():
        of_session[call.session, call.team].append(call)
    _run(_MOVE, [_summary(name, of_session[name], figures.get(name, {})) for name in sorted(of_session)])


@transaction.atomic
def forget(call_ids: Sequence[str]) -> None:
    """Take calls out again, which still have their records; a session of which none is left goes whole."""
    counted = SessionCall.objects.select_for_update().filter(pk__in=call_ids, is_counted=True).order_by("pk")
    figures = _sums(CallRecord.objects.filter(pk__in=list(counted.values_list("pk", flat=True))).only(*COLUMNS))
    touched = sorted(set(SessionCall.objects.filter(pk__in=call_ids).values_list("session", flat=True)))
    SessionCall.objects.filter(pk__in=call_ids)._raw_delete("default")
    _run(_SUBTRACT, [(*(figures[name][each] for each in FIGURES), *name) for name in sorted(figures)])
    _run(_END, [(session, session) for session in touched])
    _run(_BEGIN, [(session, session, session) for session in touched])


def _row(call: Any, steps: Steps) -> tuple[Any, ...]:
    """The parameters of _KEEP_CALL."""
    return (
        call.id, call.session, _time(call.started_at), False, steps.request, steps.answer, steps.opening,
        steps.setting, *agent_of(call.request_headers), json_text(steps.texts),
        json_text([asdict(tool) for tool in steps.tools]), json_text(steps.results),
    )  # fmt: skip


def _summary(name: Name, calls: Iterable[Any], figures: Mapping[str, int]) -> tuple[Any, ...]:
    """The parameters of _MOVE: what `calls` of a session say of it, and by how much its figures grow."""
    ordered = sorted(calls, key=lambda call: call.started_at)
    last = ordered[-1]
    names = (*name, last.key, last.model, client_of(last.request_headers))
    times = (_time(ordered[0].started_at), _time(_last_at(ordered)))
    return (*names, *times, *(figures.get(each, 0) for each in FIGURES))


def _run(sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(sql, rows)


def _time(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


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
