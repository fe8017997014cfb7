"""Pages of calls, for people and for programs: what they ask for, what matches, and what the matching calls have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet

from observability.models import CallRecord, Outcome
from observability.presentation import ACTIONS
from observability.queries import Teams, visible_calls, with_outcome
from observability.reviews.models import Label

from .indexing import AT_ONCE, catch_up, is_behind
from .language import Part
from .marks import mark, read
from .matching import Found, find
from .wanted import wanted

PAGE = 50
MOST = 500
COUNTED = 500
"""Of how many calls, the newest that match, the facets tell."""
FACETS = ("outcome", "verdict", "policy", "team", "key", "model", "provider", "tool", "changed", "label")
SHOWN = 8
VOCABULARY = {"outcome": tuple(Outcome.values), "verdict": ACTIONS, "label": tuple(Label.values)}
DIRECT = ("team", "key", "session", "outcome")
"""What calls have indexes of their own for, so that such lists never wait for the search index."""
_FACET_MARKS = tuple(mark(name, "") for name in FACETS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Count(NamedTuple):
    """Of the calls that were counted, how many have this value."""

    value: str
    calls: int


@dataclass(frozen=True, slots=True)
class CallPage:
    """Calls, newest first. `older` is the `before` of the page that follows, empty where none does.

    `facets` has for names of FACETS the commonest values among the newest `counted` calls that match.
    """

    calls: list[CallRecord]
    older: str
    facets: dict[str, list[Count]] = field(default_factory=dict)
    counted: int = 0


def call_page(*, before: str = "", limit: int = PAGE, teams: Teams = None, **filters: str | bool) -> CallPage:
    """One page of the calls that match every filter that is not empty; names are compared whole.

    `policy` names one that judged and `action` what was decided: by that policy, where both are given.
    """
    return page_of(parts_of(**filters), before=before, limit=limit, teams=teams)


def parts_of(**filters: str | bool) -> tuple[Part, ...]:
    """Filters by name as parts of a query; `action` is a verdict, and what is not empty in `changed` means yes."""
    said = {name: "yes" if name == "changed" else str(value) for name, value in filters.items() if value}
    return tuple(Part("verdict" if name == "action" else name, (value,)) for name, value in said.items())


def page_of(
    parts: Sequence[Part], *, before: str = "", limit: int = PAGE, teams: Teams = None, with_facets: bool = False
) -> CallPage:
    """One page of the calls that match every part. A `before` that is no page's `older` counts as empty."""
    limit = min(max(limit, 1), MOST)
    asked = wanted(parts, teams)
    if is_direct(parts, teams):
        found = find(asked, None, COUNTED) if with_facets else []
        page = _direct_page(parts, before, limit, teams)
    else:
        refresh()
        below = read_number(before)
        found = find(asked, below, max(COUNTED, limit + 1) if with_facets else limit + 1)
        page = _found_page(found, limit, teams)
    return CallPage(page.calls, page.older, _facets(found), len(found)) if with_facets else page


def is_direct(parts: Sequence[Part], teams: Teams = None) -> bool:
    """Whether an index of the calls themselves leads to the page."""
    names = [part for part in parts if part.name not in ("after", "before")]
    if not names:
        return True
    (first, *others) = names
    plain = first.name in DIRECT and not first.negated and len(first.values) == 1
    return plain and not others and (teams is None or first.name in ("team", "session"))


def refresh(most: int = AT_ONCE) -> None:
    """Whoever searches finds what just happened too, as far as that is done with `most` calls."""
    try:
        if is_behind():
            with transaction.atomic():
                catch_up(most)
    except DatabaseError:
        pass  # busy, or read-only: the index is what it is


def _direct_page(parts: Sequence[Part], before: str, limit: int, teams: Teams) -> CallPage:
    calls = visible_calls(teams)
    for part in parts:
        calls = _narrowed(calls, part)
    if (place := _read_place(before)) is not None:
        at, id = place
        calls = calls.filter(Q(started_at__lt=at) | Q(id__lt=id), started_at__lte=at)
    found = list(calls.defer("opening_bodies", "closing_bodies").order_by("-started_at", "-id")[: limit + 1])
    more = len(found) > limit
    return CallPage(found[:limit], _place(found[limit - 1]) if more else "")


def _narrowed(calls: QuerySet[CallRecord], part: Part) -> QuerySet[CallRecord]:
    match part.name:
        case "after":
            return calls.filter(started_at__gte=part.at)
        case "before":
            return calls.filter(started_at__lt=part.at)
        case "outcome":
            return with_outcome(calls, part.values[0])
        case name:
            return calls.filter(**{name: part.values[0]})


def _found_page(found: Sequence[Found], limit: int, teams: Teams) -> CallPage:
    # What the index says is only where to look: whether a reader may see a call, its record says.
    shown = [entry.call_id for entry in found[:limit]]
    records = visible_calls(teams).defer("opening_bodies", "closing_bodies").in_bulk(shown)
    calls = [records[id] for id in shown if id in records]
    return CallPage(calls, f"n{found[limit - 1].number}" if len(found) > limit else "")


def _facets(found: Sequence[Found]) -> dict[str, list[Count]]:
    counters: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    words = Counter(chain.from_iterable(entry.marks.split(" ") for entry in found))
    for word, calls in words.items():
        # Most words are sessions and steps, and to read them takes longer than to count them.
        if word.startswith(_FACET_MARKS):
            name, value = read(word)
            counters[name][value] = calls
    return {
        name: [Count(value, calls) for value, calls in counter.most_common(SHOWN)]
        for name, counter in counters.items()
        if counter
    }


def _place(record: CallRecord) -> str:
    return f"{(record.started_at - _EPOCH) // _MICROSECOND}-{record.pk}"


def _read_place(text: str) -> tuple[datetime, Any] | None:
    number, separator, id = text.partition("-")
    if not separator or not _is_number(number, 17):
        return None
    return _EPOCH + int(number) * _MICROSECOND, id.replace("\0", "")


def read_number(text: str) -> int | None:
    """The place that a page begins below, as `older` says it; None where it says none."""
    return min(int(text[1:]), 2**63 - 1) if text[:1] == "n" and _is_number(text[1:], 19) else None


def _is_number(text: str, digits: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= digits
