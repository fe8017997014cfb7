"""Backtests as jobs: asked for on a page, run by a worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction
from django.urls import reverse

from gateway.console.backtest.comparing import Lineups, compare, found
from gateway.console.backtest.models import Backtest, BacktestCall
from gateway.console.replay import Judges, NotReplayable
from gateway.console.replay.lineup import Subject
from gateway.console.replay.playing import Player
from observability import audit, queries
from observability.jobs import jobs
from observability.models import JobState
from observability.queries import Teams
from observability.text import number_of
from policies.models import Activation

log = structlog.get_logger(__name__)

KIND = "backtest"
AT_ONCE = 20
"""Rows that are written together."""


@transaction.atomic
def ask_for(
    subject: Subject,
    *,
    filters: dict[str, str],
    most: int,
    together: bool,
    judges: bool,
    teams: Teams,
    actor: str,
) -> Backtest:
    """A backtest of the newest `most` calls of `teams` that match `filters`, queued once this transaction commits."""
    job = jobs.create(KIND, created_by=actor, task="gateway.backtest")
    backtest = Backtest.objects.create(
        job=job,
        policy=subject.name,
        version=subject.version,
        registered_name=subject.registered_name,
        config=dict(subject.config),
        together=together,
        judges=judges,
        filters=filters,
        most=most,
        teams=None if teams is None else list(teams),
        in_force=[row.pk for row in Activation.in_force()],
    )
    detail = {"policy": str(subject), "calls": most, "filters": filters, "judges": judges}
    audit.record(actor=actor, action="backtest.started", subject=str(backtest.pk), detail=detail)
    job.arguments, job.page = [backtest.pk], reverse("backtest", args=[backtest.pk])
    job.save(update_fields=["arguments", "page"])
    jobs.queue(job)
    return backtest


def repeat(backtest: Backtest, *, teams: Teams, actor: str) -> Backtest:
    """Another backtest of the same, over the calls that are the newest of `teams` now."""
    return ask_for(
        Subject(backtest.policy, backtest.version, backtest.registered_name, backtest.config),
        filters=backtest.filters,
        most=backtest.most,
        together=backtest.together,
        judges=backtest.judges,
        teams=teams,
        actor=actor,
    )


def cancel(backtest: Backtest, *, actor: str) -> None:
    """Stop it; what it found so far stays, and is said to be a part."""
    jobs.cancel(backtest.job)
    audit.record(actor=actor, action="backtest.cancelled", subject=str(backtest.pk))


def run(pk: int) -> None:
    """Do what was asked for; nothing happens if somebody does already, or it was cancelled."""
    backtest = Backtest.objects.select_related("job").filter(pk=pk, job__state=JobState.QUEUED).first()
    if backtest is None:
        return
    with jobs.running(backtest.job) as progress:
        # What an attempt found whose worker died.
        backtest.calls.all().delete()
        ids = selected(backtest)
        progress.job.total = len(ids)
        progress.write()
        with Player() as player:
            _run(backtest, ids, player, progress)


def selected(backtest: Backtest) -> list[str]:
    """The ids of its calls, the oldest first, as sessions went."""
    named = dict(backtest.filters)
    since, until = (_moment(named.pop(name, "")) for name in ("since", "until"))
    newest = queries.newest_ids(backtest.most, teams=backtest.teams, since=since, until=until, **named)
    return newest[::-1]


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _run(backtest: Backtest, ids: Sequence[str], player: Player, progress: jobs.Progress) -> None:
    lineups = Lineups.of(backtest)
    rows: list[BacktestCall] = []
    for position, call_id in enumerate(ids):
        rows.append(_row(backtest, position, call_id, player, lineups))
        if len(rows) == AT_ONCE:
            BacktestCall.objects.bulk_create(rows)
            rows.clear()
        progress.advance(1, f"{position + 1:,} of {number_of(len(ids), 'call')} replayed")
    BacktestCall.objects.bulk_create(rows)


def _row(backtest: Backtest, position: int, call_id: str, player: Player, lineups: Lineups) -> BacktestCall:
    judges = Judges(may_be_asked=backtest.judges)
    try:
        call = queries.call(call_id, backtest.teams)
        if call is None:
            raise NotReplayable("This call is no longer on record.")
        return found(backtest, position, call, compare(player, call, lineups, judges), judges)
    except NotReplayable as error:
        problem = str(error)
    except Exception:
        # One call that breaks something does not take the others' results with it.
        log.exception("a call could not be replayed", call=call_id, backtest=backtest.pk)
        problem = "Replaying this call failed within Luthien."
    return BacktestCall(backtest=backtest, position=position, call_id=call_id, problem=problem)
