"""The playground: a policy over one call, before it is in force anywhere."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from gateway.console.access import READ, WRITE, actor, needs, visible_call
from gateway.console.playground import showing
from gateway.console.playground.form import PlaygroundForm
from gateway.console.playground.settings import Settings, stored
from gateway.console.replay import Judges, Material, NotReplayable, Replayed, pasted, recorded
from gateway.console.replay.lineup import candidate
from gateway.console.replay.playing import Player
from observability import audit
from observability.calls.page import LAST_BLOCKS, call_part
from observability.search.listing import call_page
from observability.viewers import sees_calls, teams_of
from policies.snapshot import active_set

LAST_CALLS = 8


@require_http_methods(["GET", "HEAD", "POST"])
@needs(READ, WRITE)
def page(request: HttpRequest) -> HttpResponse:
    """Choose, run, and see what came of it."""
    if request.method != "POST":
        return _page(request, PlaygroundForm(initial=asked_for(request)))
    form = PlaygroundForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=200 if form.pressed else 422)
    try:
        result = _run(request, form)
    except NotReplayable as problem:
        form.add_error("call" if form.cleaned_data["call"] else "request", str(problem))
        return _page(request, form, status=422)
    return _page(request, form, result=_shown(result), subject=str(form.subject))


@require_safe
@needs(READ, WRITE)
def settings(request: HttpRequest) -> HttpResponse:
    """The choice of a policy and its settings, after another version or class was chosen."""
    return render(request, "playground/subject.html", {"form": PlaygroundForm(initial=asked_for(request))})


def _run(request: HttpRequest, form: PlaygroundForm) -> Replayed:
    """Raises NotReplayable."""
    data = form.cleaned_data
    material = _recorded(request, form) if data["call"] else pasted(data["request"], data["answer"], data["dialect"])
    lineup = candidate(form.subject, active_set().activations, data["together"])
    with Player() as player:
        return player.play(material, lineup, Judges(may_be_asked=data["judges"]))


def _recorded(request: HttpRequest, form: PlaygroundForm) -> Material:
    """A recorded call, whose bodies are about to be read, which is an event of the audit. Raises NotReplayable."""
    call = visible_call(request, form.cleaned_data["call"].strip())
    if call is None:
        raise NotReplayable("There is no such call, or it is not yours to see.")
    material = recorded(call)
    audit.record(actor=actor(request), action="call.replayed", subject=call.pk, detail={"policy": str(form.subject)})
    return material


def asked_for(request: HttpRequest, together: bool = False) -> dict[str, Any]:
    """What the address names: a call, and a version or a class, whose settings stand ready to be changed."""
    named = request.GET
    version = None if request.headers.get("hx-trigger-name") == "policy_class" else stored(named.get("version", ""))
    asked: dict[str, Any] = {"call": named.get("call", ""), "together": together}
    if version is not None:
        asked |= {"version": version.pk, "policy": version.policy_id}
    if (settings := Settings.of(named.get("policy_class", ""), version)) is not None:
        asked |= {"policy_class": settings.registered_name, "settings": settings}
    return asked


def _shown(result: Replayed) -> dict[str, Any]:
    sides = showing.sides(result)
    return {
        "replayed": result,
        "tone": showing.FATE_TONES[result.fate],
        "verdicts": showing.verdicts(result.decisions),
        "spent": showing.spent(result.decisions),
        "parts": [
            call_part("answer", "Answer", sides["answer"]),
            call_part("request", "Request", sides["request"], shown=LAST_BLOCKS),
        ],
        "steps": showing.steps(result),
        "more_steps": max(len(result.steps) - showing.MOST_STEPS, 0),
        "bodies": list(showing.wires(result)),
    }


def _page(request: HttpRequest, form: PlaygroundForm, status: int = 200, **context: Any) -> HttpResponse:
    seen = sees_calls(request.user)
    calls = call_page(limit=LAST_CALLS, teams=teams_of(request.user)).calls if seen else []
    return render(request, "playground/page.html", {"form": form, "calls": calls, **context}, status=status)
