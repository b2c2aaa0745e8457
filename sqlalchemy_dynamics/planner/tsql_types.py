"""What T-SQL leaves to the types of columns: `+` joins two texts, '20240229' beside a date is a day."""

from __future__ import annotations

from sqlglot import exp

from sqlalchemy_dynamics.planner.names import Lookup, Sources, find_occurrences
from sqlalchemy_dynamics.planner.tsql_functions import iso_day

__all__ = ["DAY", "SUM", "settle_types"]

DAY, SUM = "tsql_day", "tsql_sum"
"""Marks of the nodes that are meant."""
_DATES = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"})


def settle_types(tree: exp.Expression, lookup: Lookup) -> None:
    """Replace the marked nodes of the tree by what the types of their columns make of them."""
    marked = [node for node in tree.find_all(exp.Add, exp.Literal) if node.meta.get(DAY) or node.meta.get(SUM)]
    if not marked:
        return
    sources = Sources(find_occurrences(tree, lookup))
    for node in reversed(marked):
        if isinstance(node, exp.Literal):
            _day(node, sources)
        elif _is_text(node.this, sources) and _is_text(node.expression, sources):
            node.replace(exp.DPipe(this=node.this, expression=node.expression))


def _day(node: exp.Literal, sources: Sources) -> None:
    assert node.parent is not None
    owned = [sources.owner_of(each) for each in node.parent.iter_expressions()]
    day = iso_day(node.this)
    if day is not None and any(each is not None and each[1].type.family in _DATES for each in owned):
        node.replace(exp.Literal.string(day))


def _is_text(node: exp.Expression, sources: Sources) -> bool:
    while isinstance(node, exp.Paren):
        node = node.this
    owned = sources.owner_of(node)
    if owned is not None:
        return owned[1].type.family == "VARCHAR"
    return isinstance(node, exp.DPipe) or (isinstance(node, exp.Literal) and node.is_string)
