"""What a query asks of the index: marks and words that must be there, or not, and what is compared exactly. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .language import Part
from .marks import mark, other_steps, steps
from .quantities import Span

_WORD = re.compile(r"[^\W_]+")
_VERSION = re.compile(r"@\d+$", re.ASCII)
COLUMNS = {"cost": "cost_microdollars", "latency": "total_ms"}


@dataclass(frozen=True, slots=True)
class Words:
    """Words that follow one another in a call's text; of the last one the beginning, where they are `open`."""

    texts: tuple[str, ...]
    open: bool = False


@dataclass(slots=True)
class Wanted:
    """`marks`: of each group one must be there. `parts_of_text` stand in the text as they are, but for case.

    `spans` are (column, span, negated). `steps` are groups of marks too, of what `spans` let through and little more:
    for a database that finds marks faster than numbers.
    """

    marks: list[tuple[str, ...]] = field(default_factory=list)
    steps: list[tuple[str, ...]] = field(default_factory=list)
    without_marks: list[str] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    without_words: list[Words] = field(default_factory=list)
    parts_of_text: list[str] = field(default_factory=list)
    without_parts: list[str] = field(default_factory=list)
    spans: list[tuple[str, Span, bool]] = field(default_factory=list)
    after: datetime | None = None
    before: datetime | None = None


def wanted(parts: Sequence[Part], teams: Iterable[str] | None = None) -> Wanted:
    """What a call must have to be found by all `parts`, and to be of one of `teams` unless that is None."""
    found = Wanted()
    if teams is not None:
        found.marks.append(tuple(mark("team", team) for team in teams))
    policies = [part for part in parts if part.name == "policy" and not part.negated]
    for part in parts:
        match part.name:
            case "":
                _add_text(found, part)
            case "after" | "before":
                _add_time(found, part)
            case "cost" | "latency":
                _add_span(found, part)
            case "verdict" if policies:
                _add_marks(found, part, _judged(part, policies))
            case "policy":
                _add_marks(found, part, tuple(map(_policy, part.values)))
            case name:
                _add_marks(found, part, tuple(mark(name, value) for value in part.values))
    return found


def _policy(value: str) -> str:
    return mark("version" if _VERSION.search(value) else "policy", value)


def _judged(part: Part, policies: Sequence[Part]) -> tuple[str, ...]:
    return tuple(
        mark("judged", f"{value}:{name}") for value in part.values for each in policies for name in each.values
    )


def _add_marks(found: Wanted, part: Part, marks: tuple[str, ...]) -> None:
    if part.negated:
        found.without_marks += marks
    else:
        found.marks.append(marks)


def _add_time(found: Wanted, part: Part) -> None:
    assert part.at is not None
    if part.name == "after":
        found.after = part.at if found.after is None else max(found.after, part.at)
    else:
        found.before = part.at if found.before is None else min(found.before, part.at)


def _add_span(found: Wanted, part: Part) -> None:
    assert part.span is not None
    around = other_steps if part.negated else steps
    found.steps.append(around(part.name, part.span.low, part.span.high))
    found.spans.append((COLUMNS[part.name], part.span, part.negated))


def _add_text(found: Wanted, part: Part) -> None:
    (text,) = part.values
    plain, star = (text, "") if part.whole else (text.rstrip("*"), text[len(text.rstrip("*")) :])
    texts = tuple(_WORD.findall(plain))
    exact = not part.whole and texts == (plain,)
    words = Words(texts, open=plain[-1:].isalnum() and (bool(star) or not exact))
    if exact:
        (found.without_words if part.negated else found.words).append(words)
    elif part.negated:
        found.without_parts.append(plain)
    else:
        found.words.append(words)
        found.parts_of_text.append(plain)
