"""The pages of backtests: ask for one, watch it, walk through what it found."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gateway.console.access import READ, SEE_CALLS, WRITE, actor, needs
from gateway.console.backtest import results, running
from gateway.console.backtest.changes import CHANGES
from gateway.console.backtest.forms import BacktestForm
from gateway.console.backtest.models import Backtest
from gateway.console.playground.views import asked_for
from observability.jobs import watching
from observability.viewers import teams_of

SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
@needs(READ, WRITE, SEE_CALLS)
def backtests(request: HttpRequest) -> HttpResponse:
    """All of them, and a form for another."""
    form = BacktestForm(request.POST if request.method == "POST" else None, initial=asked_for(request, together=True))
    if form.is_bound and form.is_valid():
        return redirect("backtest", _ask_for(request, form).pk)
    shown = results.visible(teams_of(request.user))[:SHOWN]
    context = {"form": form, "backtests": shown}
    return render(request, "backtest/list.html", context, status=422 if form.is_bound and not form.pressed else 200)


@require_safe
@needs(READ, WRITE, SEE_CALLS)
def backtest(request: HttpRequest, pk: int) -> HttpResponse:
    """One backtest: how far it is, what it found."""
    row = found(request, pk)
    against, change = picked(request)
    calls = results.chosen(row, against, change)
    first = _number(request.GET.get("from", ""))
    page = list(calls.filter(position__gte=first)[: results.PAGE + 1])
    context = {
        "backtest": row,
        "rows": results.counted(row),
        "totals": results.totals(row),
        "calls": page[: results.PAGE],
        "next": page[results.PAGE].position if len(page) > results.PAGE else None,
        "against": against,
        "change": change,
        "title": CHANGES[change] if change else "All calls",  # type: ignore[index]
        **_progress(row),
    }
    return render(request, "backtest/page.html", context)


@require_safe
@needs(READ, WRITE, SEE_CALLS)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The bar, asked for again and again."""
    return watching.anew(request, _progress(found(request, pk)))


@require_POST
@needs(READ, WRITE, SEE_CALLS)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop it."""
    row = found(request, pk)
    running.cancel(row, actor=actor(request))
    return redirect("backtest", row.pk)


@require_POST
@needs(READ, WRITE, SEE_CALLS)
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """The same once more: over the calls that are the last now, beside what is in force now."""
    row = found(request, pk)
    made = running.repeat(row, teams=teams_of(request.user), actor=actor(request))
    return redirect("backtest", made.pk)


def found(request: HttpRequest, pk: int) -> Backtest:
    """The backtest of that key, if whoever asks may see it. Raises Http404."""
    return get_object_or_404(results.visible(teams_of(request.user)), pk=pk)


def picked(request: HttpRequest) -> tuple[str, str]:
    """Which comparison, and which kind of change, the address asks for. Raises Http404."""
    against, change = request.GET.get("against", "now"), request.GET.get("change", "")
    if against not in results.AGAINST or (change and change not in CHANGES):
        raise Http404
    return against, change


def _progress(row: Backtest) -> dict[str, Any]:
    return watching.part(row.job, "backtest-progress", row.pk)


def _ask_for(request: HttpRequest, form: BacktestForm) -> Backtest:
    data = form.cleaned_data
    return running.ask_for(
        form.subject,
        filters=form.filters,
        most=data["most"],
        together=data["together"],
        judges=data["judges"],
        teams=teams_of(request.user),
        actor=actor(request),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
