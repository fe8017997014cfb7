"""What the statements of a text do, held against the rules. It imports sqlglot, as `parsing` does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from .conditions import restricts
from .parsing import Unparsable, parse
from .rules import Kind, Rules

_KINDS: dict[type[exp.Expr], Kind] = {
    exp.Query: "select",
    exp.Values: "select",
    exp.Insert: "insert",
    exp.Update: "update",
    exp.Delete: "delete",
    exp.Merge: "merge",
    exp.Create: "create",
    exp.Into: "create",
    exp.Alter: "alter",
    exp.Drop: "drop",
    exp.TruncateTable: "truncate",
    exp.Grant: "grant",
    exp.Revoke: "grant",
    exp.Copy: "copy",
    exp.LoadData: "copy",
    exp.Execute: "call",
    exp.Set: "set",
    exp.Use: "set",
    exp.Describe: "describe",
    exp.Show: "describe",
    exp.Transaction: "transaction",
    exp.Commit: "transaction",
    exp.Rollback: "transaction",
}
_WORDS: dict[str, Kind] = {
    "start": "transaction",
    "savepoint": "transaction",
    "release": "transaction",
    "show": "describe",
    "call": "call",
    "exec": "call",
    "execute": "call",
    "grant": "grant",
    "revoke": "grant",
    "set": "set",
}
_OTHERS = (exp.DML, exp.DDL, exp.Command, exp.Attach, exp.Detach, exp.Pragma, exp.Kill, exp.Analyze, exp.Comment)
_EXPLAIN = re.compile(
    r"\s*explain\b\s*(?:\([^()]*\)\s*|query\s+plan\s+|(?:analyze|verbose|extended|format\s*=\s*\w+)\s+)*", re.IGNORECASE
)
_FIRST_WORD = re.compile(r"\s*([A-Za-z]+)")
_MOST_NESTED = 3


def objection(sql: str, dialect: str, rules: Rules) -> str:
    """Why `sql` may not be run; empty if it may."""
    statements: list[exp.Expr] = []
    try:
        statements = parse(sql, dialect)
        found = next(_objections(statements, dialect, rules, 0), "")
    except (Unparsable, RecursionError):
        found = "SQL that cannot be parsed" if rules.unparsable else ""
    if found:
        return found
    counted = [each for each in statements if _kind(each) != "transaction"]
    return "several statements" if len(counted) > rules.most_statements else ""


def _objections(statements: list[exp.Expr], dialect: str, rules: Rules, depth: int) -> Iterator[str]:
    """Raises Unparsable."""
    for statement in statements:
        kind = _kind(statement)
        if kind is None:
            raise Unparsable
        explained = _explained(statement)
        if explained:
            if depth == _MOST_NESTED:
                raise Unparsable
            kind = "describe"
            yield from _objections(parse(explained, dialect), dialect, rules, depth + 1)
        if kind not in rules.kinds:
            yield f"{kind} is not allowed"
        if not explained:
            for node in statement.walk():
                yield from _objections_to(node, statement, rules)


def _objections_to(node: exp.Expr, statement: exp.Expr, rules: Rules) -> Iterator[str]:
    kind = _inner_kind(node) if node is not statement else None
    if kind is not None and kind not in rules.kinds:
        yield f"{kind} is not allowed"
    if rules.where and _changes_all(node):
        yield f"{node.key} without a condition"
    if isinstance(node, exp.Table) and rules.denies_table([part.name for part in node.parts]):
        yield "a denied table"
    name = _function(node)
    if name and rules.denies_function(name):
        yield "a denied function"


def _kind(statement: exp.Expr) -> Kind | None:
    """What a statement is; None where it is none."""
    if isinstance(statement, exp.Subquery | exp.Table):
        return "select"
    found = _inner_kind(statement)
    if found not in (None, "other"):
        return found
    word = _FIRST_WORD.match(statement.sql())
    return _WORDS.get(word[1].lower(), found) if word else found


def _changes_all(node: exp.Expr) -> bool:
    changes = isinstance(node, exp.Update | exp.Delete) and not node.find_ancestor(exp.Merge)
    return changes and not restricts(node.args.get("where"))


def _inner_kind(node: exp.Expr) -> Kind | None:
    """What a part of a statement does by itself; None for an expression."""
    for known, kind in _KINDS.items():
        if isinstance(node, known):
            return None if kind in ("update", "insert", "delete") and node.find_ancestor(exp.Merge) else kind
    return "other" if isinstance(node, _OTHERS) else None


def _explained(statement: exp.Expr) -> str:
    """The statement that an EXPLAIN is about, where the parser left it as text."""
    if not isinstance(statement, exp.Command) or str(statement.this).upper() != "EXPLAIN":
        return ""
    return _EXPLAIN.sub("", f"explain {statement.expression.name if statement.expression else ''}", count=1)


def _function(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.name)
    if isinstance(node, exp.Execute):
        return str(node.this.name) if node.this else ""
    return node.sql_name() if isinstance(node, exp.Func) else ""
