"""What the record says happened: the events of calls, read from their rows. In threads of its own."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from django.db import connections
from django.db.models import Q, QuerySet

from observability.models import Block, CallRecord, Decision
from observability.queries import Teams, visible_calls

from .events import Event, of_record

T = TypeVar("T")

PAGE = 200
"""Calls that are read at a time."""
MOST_OPEN = 2_000
_CALL = (
    *("id", "team", "key", "session", "model", "started_at", "path", "streamed", "outcome", "attempts"),
    *("upstream_head_ms", "first_event_ms", "status", "total_ms", "input_tokens", "output_tokens"),
    *("cost_microdollars", "changed_request", "changed_response"),
)
_BLOCK = ("call_id", "position", "kind", "tool_name", "released_at_ms")
_DECISION = (
    *("call_id", "position", "policy", "version", "mode", "hook", "block", "action", "reason", "at_ms", "took_ms"),
    "late",
)
# Two, so that one who reads far back does not keep the others waiting.
_threads = ThreadPoolExecutor(2, "activity")


class Seen(NamedTuple):
    """A call as a look at the record finds it."""

    id: str
    started_at: datetime
    is_open: bool


async def read(look: Callable[..., T], *args: Any) -> T:
    """What `look` finds in the database, in a thread. Raises DatabaseError."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _with_connection, look, args)


def since(at: datetime) -> list[Seen]:
    """The calls that began at `at` or later."""
    return _seen(visible_calls().filter(started_at__gte=at).order_by("started_at", "id"))


def still_open() -> list[Seen]:
    """The calls that are open, the newest MOST_OPEN of them."""
    rows = visible_calls().filter(outcome="open").exclude(outcome="finished").order_by("-started_at", "-id")
    return _seen(rows[:MOST_OPEN])


def finished_of(ids: Sequence[str]) -> list[str]:
    """Those of these calls that are over."""
    return list(visible_calls().filter(pk__in=ids).exclude(outcome="open").values_list("pk", flat=True))


def newest(most: int, teams: Teams) -> list[str]:
    """The ids of the newest calls that `teams` may see, the oldest first."""
    ids = visible_calls(teams).order_by("-started_at", "-id").values_list("pk", flat=True)[:most]
    return list(ids)[::-1]


def after(told: datetime, oldest: datetime, teams: Teams, behind: Seen | None = None) -> list[Seen]:
    """A page of the calls of which something may have happened since `told`, the oldest first, those behind `behind`.

    None that was open then began before `oldest`.
    """
    calls = visible_calls(teams).filter(Q(started_at__gte=told) | Q(closed_at__gte=told) | Q(closed_at=None))
    calls = calls.filter(started_at__gte=oldest if behind is None else behind.started_at)
    if behind is not None:
        calls = calls.filter(Q(started_at__gt=behind.started_at) | Q(id__gt=behind.id))
    return _seen(calls.order_by("started_at", "id")[:PAGE])


def events_of(ids: Iterable[str]) -> list[Event]:
    """All that the record tells of these calls, call by call in the order of `ids`."""
    ids = list(ids)
    calls = {call["id"]: call for call in visible_calls().filter(pk__in=ids).values(*_CALL)}
    blocks = _by_call(Block.objects.filter(call_id__in=ids).order_by("call_id", "position").values(*_BLOCK))
    decisions = _by_call(Decision.objects.filter(call_id__in=ids).order_by("call_id", "position").values(*_DECISION))
    return [event for id in ids if id in calls for event in of_record(calls[id], blocks[id], decisions[id])]


def _seen(calls: QuerySet[CallRecord]) -> list[Seen]:
    rows = calls.values_list("id", "started_at", "outcome")
    return [Seen(id, began, outcome == "open") for id, began, outcome in rows]


def _by_call(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["call_id"]].append(row)
    return found


def _with_connection(look: Callable[..., T], args: tuple[Any, ...]) -> T:
    try:
        return look(*args)
    finally:
        connections.close_all()
