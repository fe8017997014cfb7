"""Whether a WHERE leaves anything out."""

from __future__ import annotations

from sqlglot import exp

_TRUE_OF_ITSELF = (exp.EQ, exp.GTE, exp.LTE, exp.NullSafeEQ, exp.Like, exp.ILike)


def restricts(where: exp.Expr | None) -> bool:
    """Whether the condition can be false for a row, as far as its form tells."""
    return where is not None and _may_be_false(where.this)


def _may_be_false(condition: exp.Expr) -> bool:
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        return _may_be_false(condition.left) or _may_be_false(condition.right)
    if isinstance(condition, exp.Or):
        return _may_be_false(condition.left) and _may_be_false(condition.right)
    if isinstance(condition, _TRUE_OF_ITSELF) and condition.left == condition.right:
        return False
    if isinstance(condition, exp.Like | exp.ILike) and not condition.expression.name.strip("%"):
        return False
    # What names no column is the same for every row: 1 = 1, true, random() < 2.
    return condition.find(exp.Column) is not None
