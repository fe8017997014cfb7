"""Parses SQL within bounds. It imports sqlglot, which takes half a second: import this module where it is needed."""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import Any

import re2
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

LONGEST = 64 * 1024
"""Characters of SQL; nobody reads more."""
# A usual statement takes 1.1 steps a token.
_STEPS_A_TOKEN = 5
_STEPS = 500

# It would write statements, and the secrets in them, into the log.
logging.getLogger("sqlglot").disabled = True

_RUNS_COMMENTS = re.compile(r"/\*M?!")
_NESTED_COMMENT = re2.compile(r"/\*(?:[^*]|\*+[^*/])*?/\*")
_TAGGED_DOLLARS = re.compile(r"\$[^\W\d]\w*\$")
_MINUS_MINUS = re.compile(r"--(?![\s\x00-\x1f]|\Z)")
_ESCAPED_UNICODE = re.compile(r"\b[uU]&[\"']")
_MYSQL = frozenset({"mysql", "mariadb", "singlestore", "starrocks", "doris"})


class Unparsable(Exception):
    """Nobody can tell what a server would make of it."""


def parse(sql: str, dialect: str) -> list[exp.Expr]:
    """The statements of `sql`. Raises Unparsable."""
    if len(sql) > LONGEST or _reads_otherwise(sql, dialect):
        raise Unparsable
    try:
        tokens = _dialect(dialect).tokenize(sql)
        parser = _parser(dialect)(dialect=_dialect(dialect))
        parser.steps_left = _STEPS + _STEPS_A_TOKEN * len(tokens)
        statements = parser.parse(tokens, sql)
    except Exception as error:  # also RecursionError, and whatever a parser's bug may raise
        raise Unparsable from error
    return [each for each in statements if each is not None and not isinstance(each, exp.Semicolon)]


def warm(dialect: str) -> None:
    """Import what the first statement would have to wait for."""
    parse("SELECT 1", dialect)


def _reads_otherwise(sql: str, dialect: str) -> bool:
    """Whether a server may read this in another way than the parser: comments that it runs, quotes of its own."""
    if "/*" in sql and (_RUNS_COMMENTS.search(sql) or _NESTED_COMMENT.search(sql)):
        return True
    if "$" in sql and _TAGGED_DOLLARS.search(sql):
        return True
    if "&" in sql and _ESCAPED_UNICODE.search(sql):
        return True
    return "\x00" in sql or (dialect in _MYSQL and _MINUS_MINUS.search(sql) is not None)


@cache
def _dialect(name: str) -> Dialect:
    return Dialect.get_or_raise(name)


@cache
def _parser(name: str) -> Any:
    """The dialect's parser, which gives up when it has gone to and fro too often: some texts take it hours."""
    base: Any = _dialect(name).parser_class

    def advance(self: Any, times: int = 1) -> None:
        self.steps_left -= 1
        if self.steps_left < 0:
            raise Unparsable
        base._advance(self, times)

    return type("Bounded", (base,), {"_advance": advance, "steps_left": _STEPS})
