"""What the address of a list asks for: a query, and which page of what it finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone

from observability.hiding import HIDDEN
from observability.text import clean, clean_name
from observability.viewers import sees_bodies

from .language import Part, QueryError, extended, parse, refuse_text
from .listing import VOCABULARY

MOST_TYPED = 4_000


class Typed(NamedTuple):
    """A query as it was typed, and its parts, or why it has none."""

    text: str
    parts: tuple[Part, ...]
    error: QueryError | None = None


def text_of(request: HttpRequest) -> str:
    return clean(request.GET.get("q", ""), MOST_TYPED)


def typed_in(request: HttpRequest, filters: Iterable[str] = ()) -> Typed:
    """The query in the address; `filters` may stand there by themselves too."""
    text = text_of(request).strip()
    for name in filters:
        if value := clean_name(request.GET.get(name, "")).strip():
            text = extended(text, *_part(name, value))
    try:
        parts = parse(text, timezone.now(), VOCABULARY)
        if not sees_bodies(request.user):
            refuse_text(parts, HIDDEN)
        return Typed(text, parts)
    except QueryError as error:
        return Typed(text, (), error)


def _part(name: str, value: str) -> tuple[str, str]:
    if name == "action":
        return "verdict", value
    return name, "yes" if name == "changed" else value


def marked(typed: Typed) -> dict[str, str]:
    """The error, and the query in three pieces, of which the middle one is at fault."""
    assert typed.error is not None
    text, start, end = typed.text, typed.error.start, typed.error.end
    return {
        "error": str(typed.error),
        "before_error": text[:start],
        "at_error": text[start:end],
        "after_error": text[end:],
    }


def pages(asked: Mapping[str, str], before: str, older: str) -> dict[str, str]:
    """Where the first page and the next one of what `asked` finds are, for `search/pager.html`; empty where nowhere."""
    return {
        "newest_url": address(asked) if before else "",
        "older_url": address({**asked, "before": older}) if older else "",
    }


def address(asked: Mapping[str, str]) -> str:
    """The query of an address, without what is empty."""
    return f"?{urlencode({name: value for name, value in asked.items() if value})}"
