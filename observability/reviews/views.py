"""The list of what waits for review, and the labels of it."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from observability.models import CallRecord, Decision
from observability.search.typed import address, pages, typed_in
from observability.viewers import User, for_reviewers, sees_bodies, teams_of, visible_call

from . import labelling
from .models import CHOICES, WHOLE_CALL, Review
from .queue import KINDS, Item, hide_words, of_call, waiting

PERMISSION = "observability.add_review"


def may_label(user: User) -> bool:
    return isinstance(user, AbstractUser) and user.has_perm(PERMISSION)


@require_safe
@for_reviewers
def reviews(request: HttpRequest) -> HttpResponse:
    """What nobody looked at yet. `show` is a kind, `q` a search as on the list of calls, `before` a page's place."""
    kind = request.GET.get("show", "")
    kind = kind if kind in KINDS else next(iter(KINDS))
    typed = typed_in(request)
    context: dict[str, object] = {
        "kind": kind,
        "kinds": [(name, title, address({"show": name, "q": typed.text})) for name, title in KINDS.items()],
        "query": typed.text,
        "choices": CHOICES,
        "next": request.get_full_path(),
        **_rights(request.user),
    }
    if typed.error is not None:
        return render(request, "review/list.html", context | {"error": str(typed.error)}, status=400)
    before = request.GET.get("before", "")
    page = waiting(kind, typed.parts, before=before, teams=teams_of(request.user))
    if not sees_bodies(request.user):
        hide_words(page.items)
    context |= {"page": page, **pages({"show": kind, "q": typed.text}, before, page.older)}
    return render(request, "review/list.html", context)


@require_POST
@for_reviewers
def label(request: HttpRequest) -> HttpResponse:
    """Store a label, or take it back where it is empty; answers with what is to be shown in place of what was."""
    if not may_label(request.user):
        raise PermissionDenied
    call = _call(request)
    position = _position(request)
    by = request.user.get_username()
    said = request.POST.get("label", "")
    # Who sees no comments cannot mean to change one.
    comment = request.POST.get("comment") if sees_bodies(request.user) else None
    try:
        if said:
            choice = next(each for each in CHOICES if each == said)
            labelling.label(call, position, choice, by=by, comment=comment)
        else:
            labelling.withdraw(call, position, by=by)
    except (StopIteration, labelling.NoSuchVerdict):
        raise Http404 from None
    return _answer(request, call, position)


def _answer(request: HttpRequest, call: CallRecord, position: int) -> HttpResponse:
    back = request.POST.get("next", "")
    if request.headers.get("HX-Request") != "true":
        is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
        return redirect(back if is_ours else "reviews")
    if request.POST.get("panel"):
        context = panel(request.user, call, list(call.decisions.all()))
        return render(request, "review/panel.html", context | {"next": back})
    decision = next((each for each in call.decisions.all() if each.position == position), None)
    item = Item(call, decision, Review.objects.filter(call_id=call.pk, position=position).first())
    if not sees_bodies(request.user):
        hide_words([item])
    context = {"item": item, "choices": CHOICES, "next": back, **_rights(request.user)}
    return render(request, "review/item.html", context)


def panel(user: User, call: CallRecord, decisions: list[Decision]) -> dict[str, object]:
    """What the panel of a call's page shows."""
    items, report = of_call(call, decisions)
    if not sees_bodies(user):
        hide_words(items)
    return {"call": call, "items": items, "report": report, "choices": CHOICES, **_rights(user)}


def _rights(user: User) -> dict[str, bool]:
    return {"may_label": may_label(user), "may_comment": sees_bodies(user)}


def _call(request: HttpRequest) -> CallRecord:
    call = visible_call(request.user, request.POST.get("call", ""))
    if call is None:
        raise Http404
    return call


def _position(request: HttpRequest) -> int:
    text = request.POST.get("position", "")
    if text == str(WHOLE_CALL):
        return WHOLE_CALL
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Http404
    return int(text)
