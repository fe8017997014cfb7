"""What the search box offers: how the last word of a query could go on, and facets to narrow it by. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .language import CHANGED, FIELDS, Part, extended, quoted, without

MOST = 8
EXAMPLES = (
    ("verdict:block", "what a policy blocked"),
    ("changed:yes latency:>2s", "what was changed and took long"),
    ('tool:bash "rm -rf"', "a text, exactly as it stands, in calls with that tool"),
    ("team:payments -outcome:finished after:1d", "what did not finish for a team since yesterday"),
    ("cost:>0.1 before:2026-11-01", "what cost more than ten cents before November"),
)
_LAST = re.compile(r"(-?)([A-Za-z_]*)(:?)([^\s:]*)$")


class Suggestion(NamedTuple):
    """A query that could be meant, and what its last part means."""

    query: str
    label: str
    meaning: str


class Choice(NamedTuple):
    """A facet's value: the query with it, or without it where it `is_chosen`."""

    value: str
    calls: int
    query: str
    is_chosen: bool


class Chip(NamedTuple):
    """A part of the query as it was typed, and the query without it."""

    text: str
    query: str


def suggest(text: str, values: Mapping[str, Sequence[str]]) -> list[Suggestion]:
    """How the last word may go on: as a filter's name, or one of its `values`."""
    match = _LAST.search(text)
    if match is None or not match[2]:
        return []
    start, minus, name, value = text[: match.start()], match[1], match[2].lower(), match[4].lower()
    if not match[3]:
        names = [each for each in FIELDS if each.startswith(name)]
        return [Suggestion(f"{start}{minus}{each}:", f"{minus}{each}:", FIELDS[each]) for each in names]
    known = CHANGED if name == "changed" else values.get(name, ())
    near = [each for each in known if value in each.lower()]
    return [
        Suggestion(f"{start}{minus}{name}:{quoted(each)} ", f"{minus}{name}:{quoted(each)}", "") for each in near[:MOST]
    ]


def chips(text: str, parts: Iterable[Part]) -> list[Chip]:
    """The parts of a query, each to be taken out."""
    return [Chip(text[part.start : part.end], without(text, part)) for part in parts]


def choices(
    text: str, parts: Sequence[Part], facets: Mapping[str, Sequence[tuple[str, int]]]
) -> list[tuple[str, list[Choice]]]:
    """Facets with the queries that they lead to."""
    return [
        (name, [_choice(text, parts, name, value, calls) for value, calls in counts]) for name, counts in facets.items()
    ]


def _choice(text: str, parts: Sequence[Part], name: str, value: str, calls: int) -> Choice:
    for part in parts:
        if part.name == name and part.values == (value,) and not part.negated:
            return Choice(value, calls, without(text, part), True)
    return Choice(value, calls, extended(text, name, value), False)
