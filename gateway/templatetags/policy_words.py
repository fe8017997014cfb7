"""Filters that say scopes and audit events in words."""

from collections.abc import Mapping, Sequence

from django import template
from django.utils.html import format_html, format_html_join

from gateway.console.policies import event_words, ladder
from observability.models import AuditEvent
from policies.active import Scope

register = template.Library()


@register.filter
def scope_words(scope: Mapping[str, Sequence[str]]) -> str:
    """Which calls a scope is for, as an activation stores it."""
    return ladder.scope_words(Scope(**{field: tuple(patterns) for field, patterns in scope.items()}))


@register.filter
def prose(text: str) -> str:
    """A docstring as HTML, escaped: what stands between backticks is code."""
    parts = text.split("`")
    # Without a partner a backtick is one.
    marked = parts if len(parts) % 2 else [*parts[:-2], "`".join(parts[-2:])]
    pieces = [format_html("<code>{}</code>" if place % 2 else "{}", part) for place, part in enumerate(marked)]
    return format_html_join("", "{}", ((piece,) for piece in pieces))


@register.filter
def event_words_of(event: AuditEvent) -> str:
    """What somebody did to a policy."""
    return event_words.sentence(event.action, event.detail)
