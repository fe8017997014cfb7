"""The language of the search box: `team:payments -outcome:finished cost:>0.1 before:2026-11-01 "rm -rf"`. Pure.

Parts stand side by side and all of them must hold. A part is a filter (`name:value`, several values with commas
between them) or text to look for; a `-` before it turns it round, and quotation marks hold it together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from .quantities import BadQuantity, Span, read_cost, read_latency, read_number, read_time

FIELDS = {
    "team": "the team of the key",
    "key": "the name of the key",
    "session": "a client's conversation",
    "model": "the model that the client named",
    "provider": "who answered",
    "policy": "a policy that judged: policy:no-deletes, or a version of it: policy:no-deletes@3",
    "verdict": "what a policy decided; together with policy:, what that policy decided",
    "outcome": "how the call ended",
    "changed": "what policies changed: yes, no, request or answer",
    "label": "what a reviewer said of the call or of a verdict on it, or reported: its client said it was wrong",
    "tool": "a tool that the model called, whether or not that was released",
    "status": "the status that the client got",
    "cost": "in dollars: cost:>0.1, cost:0.1..0.5",
    "latency": "until the end of the answer: latency:>2s, latency:<500ms",
    "after": "began then or later: after:2026-11-01, after:2026-11-01T09:30, after:2h",
    "before": "began earlier: before:2026-11-01, before:7d",
}
"""Each filter, and what it means. Times are UTC."""
SPANS = {"cost": read_cost, "latency": read_latency}
CHANGED = ("yes", "no", "request", "answer")
MOST_PARTS = 40
MOST_CHARACTERS = 2_000

_QUOTED = r'"(?:\\"|[^"])*"'
_PART = re.compile(
    rf"""(?P<not>-?)(?:(?P<name>[A-Za-z_]+):(?P<value>(?:{_QUOTED}|[^\s"])*)|(?P<phrase>{_QUOTED})|(?P<word>[^\s"]+))"""
)
_VALUE = re.compile(rf'{_QUOTED}|[^\s",]+')
_BARE = re.compile(r'[^\s",]+')
_SPACE = re.compile(r"\s*")
FEWEST_LETTERS = 3
"""Of a beginning in ASCII. With fewer begin half of all words, and an index reads the places of all of them."""
_SHORT = re.compile(rf"(?<![^\W_])[A-Za-z0-9]{{1,{FEWEST_LETTERS - 1}}}\*+$")


class QueryError(ValueError):
    """What was typed cannot be understood; the characters from `start` to `end` are at fault."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a query, which stands at `start` to `end` of what was typed.

    `name` is of FIELDS, or empty for text to look for. `span` is what cost and latency are to be within, `at` the time
    of after and before. `whole` says that text is in quotation marks.
    """

    name: str
    values: tuple[str, ...]
    negated: bool = False
    whole: bool = False
    span: Span | None = None
    at: datetime | None = None
    start: int = 0
    end: int = 0


def parse(text: str, now: datetime, vocabulary: Mapping[str, tuple[str, ...]] | None = None) -> tuple[Part, ...]:
    """The parts of a query. `vocabulary` has for names the only values that there are. Raises QueryError."""
    if len(text) > MOST_CHARACTERS:
        raise QueryError(f"A search has at most {MOST_CHARACTERS:,} characters.", MOST_CHARACTERS, len(text))
    if (text.count('"') - text.count('\\"')) % 2:
        raise QueryError("This quotation mark is never closed.", text.rindex('"'), len(text))
    known = {"changed": CHANGED, **(vocabulary or {})}
    parts: list[Part] = []
    place = _skip(text, 0)
    while place < len(text):
        match = _PART.match(text, place)
        if match is None:  # a mark that a backslash before it does not escape, because no text had begun
            raise QueryError("This quotation mark is never closed.", place, len(text))
        parts.append(_part(match, now, known))
        place = _skip(text, match.end())
    if len(parts) > MOST_PARTS:
        raise QueryError(f"A search has at most {MOST_PARTS} parts.", parts[MOST_PARTS].start, len(text))
    return tuple(parts)


def refuse_text(parts: Iterable[Part], why: str) -> None:
    """Raises QueryError, which says `why`, if one of `parts` is text to look for."""
    for part in parts:
        if not part.name:
            raise QueryError(why, part.start, part.end)


def quoted(value: str) -> str:
    """`value` as it is written in a query."""
    return value if _BARE.fullmatch(value) else f'"{_escaped(value)}"'


def _escaped(value: str) -> str:
    return value.replace('"', '\\"')


def _plain(written: str) -> str:
    """What is meant by a value or a text as it was written."""
    return written[1:-1].replace('\\"', '"') if written[:1] == '"' else written


def extended(text: str, name: str, value: str) -> str:
    """The query with one more filter."""
    return f"{text.strip()} {name}:{quoted(value)}".strip()


def without(text: str, part: Part) -> str:
    """The query without one of its parts."""
    return " ".join(f"{text[: part.start].rstrip()} {text[part.end :].lstrip()}".split(" ")).strip()


def _part(match: re.Match[str], now: datetime, known: dict[str, tuple[str, ...]]) -> Part:
    start, end, negated = match.start(), match.end(), bool(match["not"])
    if match["name"] is None:
        return _text(match, start, end, negated)
    name = match["name"].lower()
    if name not in FIELDS:
        raise QueryError(_no_such_filter(name, match[0]), match.start("name"), match.end("name"))
    if not match["value"]:
        raise QueryError(f"What should {name} be? {_sentence(name)}", start, end)
    try:
        return _filter(match, name, now, known, negated)
    except BadQuantity as error:
        raise QueryError(str(error), match.start("value"), end) from error


def _text(match: re.Match[str], start: int, end: int, negated: bool) -> Part:
    whole = match["phrase"] is not None
    text = _plain(match["phrase"]) if whole else match["word"]
    if not any(letter.isalnum() for letter in text):
        raise QueryError("There is no word in this to look for.", start, end)
    if not whole and _SHORT.search(text):
        raise QueryError(f"The beginning of a word has at least {FEWEST_LETTERS} letters before its *.", start, end)
    return Part("", (text,), negated, whole=whole, start=start, end=end)


def _filter(match: re.Match[str], name: str, now: datetime, known: dict[str, tuple[str, ...]], negated: bool) -> Part:
    start, end, written = match.start(), match.end(), match["value"]
    if name in SPANS:
        return Part(name, (written,), negated, span=SPANS[name](_plain(written)), start=start, end=end)
    if name in ("after", "before"):
        if negated:
            raise QueryError(f"Say {'before' if name == 'after' else 'after'} instead.", start, end)
        return Part(name, (written,), at=read_time(_plain(written), now), start=start, end=end)
    values = _values(match)
    if name == "status":
        for value in values:
            read_number(value)
    if name in known:
        values = tuple(value.lower() for value in values)
        for value in values:
            _check(name, value, known[name], match)
    return Part(name, values, negated, start=start, end=end)


def _values(match: re.Match[str]) -> tuple[str, ...]:
    found = tuple(_plain(each[0]) for each in _VALUE.finditer(match["value"]))
    if not found or "" in found:
        raise QueryError("A value is missing here.", match.start("value"), match.end())
    return found


def _check(name: str, value: str, known: tuple[str, ...], match: re.Match[str]) -> None:
    if value not in known:
        near = get_close_matches(value, known, 1)
        hint = f"Did you mean {near[0]}?" if near else f"It is one of: {', '.join(known)}."
        raise QueryError(f"No {name} is called {value}. {hint}", match.start("value"), match.end())


def _no_such_filter(name: str, written: str) -> str:
    near = get_close_matches(name, FIELDS, 1)
    hint = f"Did you mean {near[0]}:?" if near else f"Filters are {', '.join(FIELDS)}."
    return f'There is no filter {name}:. {hint} To look for this as text, put it in quotation marks: "{written}"'


def _sentence(name: str) -> str:
    return f"{name}: is {FIELDS[name]}."


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    assert match is not None
    return match.end()
