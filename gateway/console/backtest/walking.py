"""Walking through the calls of a backtest: each is replayed again, with what judges said then."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from gateway.console.access import READ, SEE_CALLS, WRITE, actor, needs, visible_call
from gateway.console.backtest import results
from gateway.console.backtest.comparing import Compared, Lineups, compare, given
from gateway.console.backtest.models import Backtest, BacktestCall
from gateway.console.backtest.views import found, picked
from gateway.console.playground import showing
from gateway.console.replay import Judges, NotReplayable
from gateway.console.replay.playing import Player
from observability import audit
from observability.calls.page import LAST_BLOCKS, call_part
from observability.diffs.blocks import Side
from observability.models import CallRecord
from policies.registry import InvalidConfig, NotRegistered


@require_safe
@needs(READ, WRITE, SEE_CALLS)
def backtest_call(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """One call: what the client would get now or got then, beside what it would get."""
    backtest = found(request, pk)
    against, change = picked(request)
    row = get_object_or_404(backtest.calls, position=position)
    before, after = results.neighbours(results.chosen(backtest, against, change), position)
    context = {
        "backtest": backtest,
        "row": row,
        "against": against,
        "change": change,
        "before": before,
        "after": after,
        "query": urlencode({"against": against, "change": change}),
        **_replayed(request, backtest, row, against),
    }
    return render(request, "backtest/call.html", context)


def _replayed(request: HttpRequest, backtest: Backtest, row: BacktestCall, against: str) -> dict[str, Any]:
    call = visible_call(request, row.call_id)
    if call is None:
        return {"problem": "This call is no longer on record, or it is not yours to see."}
    detail = {"policy": str(backtest), "backtest": backtest.pk}
    audit.record(actor=actor(request), action="call.replayed", subject=call.pk, detail=detail)
    try:
        with Player() as player:
            compared = compare(player, call, Lineups.of(backtest), Judges(answers=dict(row.judgements)))
    except NotReplayable as error:
        return {"problem": str(error)}
    except (NotRegistered, InvalidConfig) as error:
        return {"problem": f"The policy can no longer be loaded: {error.args[0]}"}
    return {"verdicts": showing.verdicts(compared.new.decisions), "parts": _parts(compared, call, against)}


def _parts(compared: Compared, call: CallRecord, against: str) -> list[dict[str, Any]]:
    new = compared.new
    if against == "now":
        request, answer = compared.now.request_after, compared.now.answer_after
    else:
        request, answer = given(call)
        # What was sent in another dialect reads otherwise without anybody's doing.
        request = new.request_after if call.upstream_dialect else request
    sides = (("answer", "Answer", answer, new.answer_after), ("request", "Request", request, new.request_after))
    return [
        call_part(
            id, title, Side(changed=one != other, original=one, final=other), LAST_BLOCKS if id == "request" else None
        )
        for id, title, one, other in sides
    ]
