"""Conditions that leave no row out, as templates and tools write them: 1 = 1, or any constant that is not false."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.simplify import simplify

from sqlalchemy_dynamics.planner.text_rule import key

__all__ = ["is_everything"]

_FALSE = (exp.false(), exp.Literal.number(0))
_DECIDING = (exp.Column, exp.Query, exp.Parameter, exp.Placeholder, exp.Null, exp.Rand, exp.Anonymous)
"""What makes a condition more than a constant."""


def is_everything(where: exp.Where | None) -> bool:
    """Say whether a WHERE, or that there is none, means every row."""
    return where is None or _is_true(simplify(where.this.transform(_comparable)))


def _comparable(node: exp.Expression) -> exp.Expression:
    """Texts as equality compares them."""
    return exp.Literal.string(key(node.this)) if isinstance(node, exp.Literal) and node.is_string else node


def _is_true(condition: exp.Expression) -> bool:
    if isinstance(condition, exp.Paren):
        return _is_true(condition.this)
    if isinstance(condition, (exp.And, exp.Or)):
        sides = (_is_true(condition.left), _is_true(condition.right))
        return all(sides) if isinstance(condition, exp.And) else any(sides)
    return condition not in _FALSE and condition.find(*_DECIDING) is None
