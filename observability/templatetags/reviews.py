"""The panel on which a call is labelled."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from observability.reviews import views

register = template.Library()


@register.inclusion_tag("review/panel.html", takes_context=True)
def review_panel(context: Context) -> dict[str, Any]:
    """For the `call` and the `verdicts` that the page shows."""
    request, call = context["request"], context["call"]
    decisions = list(context.get("verdicts") or call.decisions.all())
    shown = views.panel(request.user, call, decisions)
    return shown | {"csrf_token": context.get("csrf_token"), "next": request.get_full_path()}
