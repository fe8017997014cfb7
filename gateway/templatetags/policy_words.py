"""Filters that say scopes and audit events in words."""

from collections.abc import Mapping, Sequence

from django import template

from gateway.console.policies import event_words, ladder
from observability.models import AuditEvent
from policies.active import Scope

register = template.Library()


@register.filter
def scope_words(scope: Scope | Mapping[str, Sequence[str]]) -> str:
    """Which calls a scope is for; as a Scope, or as an activation stores it."""
    if not isinstance(scope, Scope):
        scope = Scope(**{field: tuple(patterns) for field, patterns in scope.items()})
    return ladder.scope_words(scope)


@register.filter
def event_words_of(event: AuditEvent) -> str:
    """What somebody did to a policy."""
    return event_words.sentence(event.action, event.detail)
