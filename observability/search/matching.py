"""Looking a query up in the index: one statement, in the words of the database."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor, inf
from typing import Any, NamedTuple

from django.db import connection

from .marks import ANY
from .places import first_place
from .quantities import Span
from .wanted import Wanted, Words

WHOLE = ("cost_microdollars",)
"""Columns of integers."""


class Found(NamedTuple):
    """An entry of a call that matches."""

    number: int
    call_id: str
    marks: str


class Condition(NamedTuple):
    """SQL that has to hold, with its parameters."""

    sql: str
    parameters: tuple[Any, ...] = ()


def find(wanted: Wanted, below: int | None, most: int) -> list[Found]:
    """The newest `most` entries that match, newest first; with `below` those whose number is smaller."""
    if not all(wanted.marks):
        return []
    sql, parameters = statement(wanted, below, most)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [Found(*row) for row in cursor.fetchall()]


def statement(wanted: Wanted, below: int | None, most: int) -> tuple[str, tuple[Any, ...]]:
    """The statement that `find` runs."""
    sqlite = connection.vendor == "sqlite"
    search = _sqlite(wanted) if sqlite else _postgres(wanted)
    by_words = sqlite and search
    number = "search.rowid" if by_words else "entry.number"
    conditions = [*search, *_places(wanted, below, number), *_exact(wanted, "LIKE" if sqlite else "ILIKE")]
    restricting = " AND ".join(condition.sql for condition in conditions) or "TRUE"
    # By the words first, whatever else there is: only so the rows come in the order that is wanted.
    tables = (
        "observability_search AS search CROSS JOIN observability_searchentry AS entry ON entry.number = search.rowid"
        if by_words
        else "observability_searchentry AS entry"
    )
    sql = (
        f"SELECT entry.number, entry.call_id, entry.marks FROM {tables} "  # noqa: S608
        f"WHERE {restricting} ORDER BY {number} DESC LIMIT %s"
    )
    return sql, (*(each for condition in conditions for each in condition.parameters), most)


def _sqlite(wanted: Wanted) -> list[Condition]:
    groups = [f"({' OR '.join(map(_fts_mark, group))})" for group in (*wanted.marks, *wanted.steps)]
    asked = " AND ".join((*groups, *map(_fts_words, wanted.words)))
    unwanted = [*map(_fts_mark, wanted.without_marks), *map(_fts_words, wanted.without_words)]
    if not asked and not unwanted:
        return []
    asked = asked or _fts_mark(ANY)
    return [
        Condition("observability_search MATCH %s", (f"({asked}) NOT ({' OR '.join(unwanted)})" if unwanted else asked,))
    ]


def _fts_mark(mark: str) -> str:
    return f'marks : "{mark}"'


def _fts_words(words: Words) -> str:
    return f'text : "{" ".join(words.texts)}"{" *" if words.open else ""}'


def _postgres(wanted: Wanted) -> list[Condition]:
    conditions = [Condition("entry.marked @@ %s::tsquery", (" | ".join(group),)) for group in wanted.marks]
    conditions += [Condition("NOT entry.marked @@ %s::tsquery", (mark,)) for mark in wanted.without_marks]
    conditions += [condition for words in wanted.words for condition in _ts_words(words, "")]
    conditions += [condition for words in wanted.without_words for condition in _ts_words(words, "NOT ")]
    return conditions


def _ts_words(words: Words, negation: str) -> Iterator[Condition]:
    """Each word as the parser of the text takes it; a beginning as a lexeme.

    That they follow one another is not asked: of a long text the database does not keep where its last words are.
    """
    *whole, last = words.texts
    for text in whole if words.open else words.texts:
        yield Condition(f"{negation}entry.words @@ plainto_tsquery('simple', %s)", (text,))
    if words.open:
        yield Condition(f"{negation}entry.words @@ (quote_literal(lower(%s)) || ':*')::tsquery", (last,))


def _places(wanted: Wanted, below: int | None, number: str) -> list[Condition]:
    ceilings = [] if below is None else [below]
    if wanted.before is not None:
        ceilings.append(first_place(wanted.before))
    conditions = [Condition(f"{number} < %s", (min(ceilings),))] if ceilings else []
    if wanted.after is not None:
        conditions.append(Condition(f"{number} >= %s", (first_place(wanted.after),)))
    return conditions


def _exact(wanted: Wanted, like: str) -> list[Condition]:
    """What marks and words cannot tell, compared with the entry itself."""
    conditions = [_within(column, span, negated) for column, span, negated in wanted.spans]
    for text, negation in (
        *((each, "") for each in wanted.parts_of_text),
        *((each, "NOT ") for each in wanted.without_parts),
    ):
        pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        conditions.append(Condition(f"entry.text {negation}{like} %s ESCAPE '\\'", (f"%{pattern}%",)))
    return conditions


def _within(column: str, span: Span, negated: bool) -> Condition:
    bounds = [(">=" if span.with_low else ">", span.low), ("<=" if span.with_high else "<", span.high)]
    finite = [(sign, _bound(column, sign, bound)) for sign, bound in bounds if abs(bound) != inf]
    tests = " AND ".join((f"entry.{column} IS NOT NULL", *(f"entry.{column} {sign} %s" for sign, _ in finite)))
    return Condition(f"{'NOT ' if negated else ''}({tests})", tuple(bound for _, bound in finite))


def _bound(column: str, sign: str, bound: float) -> float:
    """A bound of the column's own type: compared with a fraction, an integer is not looked up in its index."""
    if column not in WHOLE:
        return bound
    return ceil(bound) if sign in (">=", "<") else floor(bound)
