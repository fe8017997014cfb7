"""The playground: a policy over one call, before it is in force anywhere."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from gateway.console.authors import for_authors, visible_call
from gateway.console.playground import showing
from gateway.console.playground.form import PlaygroundForm
from gateway.console.replay import Judges, Material, NotReplayable, Replayed, pasted, recorded
from gateway.console.replay.lineup import candidate
from gateway.console.replay.playing import Player
from observability import audit
from observability.call_page import LAST_BLOCKS, call_part
from observability.search.listing import call_page
from observability.viewers import sees_calls, teams_of
from policies.models import PolicyVersion
from policies.registry import catalogue
from policies.snapshot import active_set

LAST_CALLS = 8


@require_http_methods(["GET", "HEAD", "POST"])
@for_authors
def page(request: HttpRequest) -> HttpResponse:
    """Choose, run, and see what came of it."""
    if request.method != "POST":
        return _page(request, PlaygroundForm(initial=asked_for(request)))
    form = PlaygroundForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        result = _run(request, form)
    except NotReplayable as problem:
        form.add_error("call" if form.cleaned_data["call"] else "request", str(problem))
        return _page(request, form, status=422)
    return _page(request, form, result=_shown(result), subject=str(form.subject))


@require_safe
@for_authors
def settings(request: HttpRequest) -> HttpResponse:
    """The settings of a class as its draft begins with them, or those of a stored version."""
    return render(request, "playground/config.html", {"field": PlaygroundForm(initial=asked_for(request))["config"]})


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
    actor = request.user.get_username()
    audit.record(actor=actor, action="call.replayed", subject=call.pk, detail={"policy": str(form.subject)})
    return material


def asked_for(request: HttpRequest, together: bool = False) -> dict[str, Any]:
    """What the address names: a call, and a version or a class, whose settings stand ready to be changed."""
    asked: dict[str, Any] = {"call": request.GET.get("call", ""), "together": together}
    version, registered = request.GET.get("version", ""), request.GET.get("policy_class", "")
    if version.isascii() and version.isdecimal() and len(version) < 10:
        stored = PolicyVersion.objects.filter(pk=int(version)).first()
        if stored is not None:
            asked |= {"version": stored.pk, "policy_class": stored.registered_name, "config": _pretty(stored.config)}
    elif (policy := catalogue().get(registered)) is not None:
        asked |= {"policy_class": registered, "config": _pretty(_defaults(policy.Config))}
    return asked


def _defaults(config: Any) -> dict[str, Any]:
    """What a config has where nothing is said; what must be said is left open."""
    fields = config.model_fields.items()
    made = {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}
    empty = {name: None for name, field in fields if field.is_required()}
    dumped: dict[str, Any] = config.model_construct(**made, **empty).model_dump(mode="json", warnings=False)
    return dumped


def _pretty(config: Any) -> str:
    return json.dumps(config, indent=2, ensure_ascii=False)


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
