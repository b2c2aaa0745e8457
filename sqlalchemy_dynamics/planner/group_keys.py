"""What the service can group by for a statement: columns, or those that its expressions are computed from.

Groups by an expression are groups by its columns, put together here. Texts that are equal by the rule come in one
group under one spelling, so that expressions over texts must give the same for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Companion, Kind, Table
from sqlalchemy_dynamics.planner.shape import Shape

__all__ = ["groupable", "is_by_the_rule", "is_finer", "keys_of"]

_GROUPABLE = frozenset({"VARCHAR", "INTEGER", "BOOLEAN", "UUID"})
_UNGROUPED = (Kind.MULTICHOICE, Kind.FILE, Kind.FILE_NAME, Kind.ENTITY_NAME)
_BY_THE_RULE = (
    *(exp.Paren, exp.Lower, exp.Upper, exp.Coalesce, exp.Nullif, exp.Case, exp.If, exp.Connector, exp.Not, exp.Is),
    *(exp.Alias, exp.Select, exp.Group, exp.Having, exp.Ordered, exp.Order, exp.Where, exp.Join),
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Tuple),
)
"""What gives the same, or equal texts, for texts that are equal by the rule."""


def keys_of(shape: Shape) -> dict[str, Column] | None:
    """Return the columns to group by, by name; None when the service does not group by one of them."""
    keys: dict[str, Column] = {}
    terms = _terms(shape)
    for term in terms or ():
        for node in term.find_all(exp.Column):
            column = shape.column(node)
            able = column is not None and groupable(column, shape.occurrence.table)
            if column is None or not able or not is_by_the_rule(node, column, term):
                return None
            keys[column.name] = column
    return None if terms is None or (terms and not keys) else keys


def is_finer(shape: Shape) -> bool:
    """Say whether there can be more groups by the columns than the statement asks for."""
    return any(shape.column(term) is None for term in _terms(shape) or ())


def _terms(shape: Shape) -> list[exp.Expression] | None:
    group = shape.select.args.get("group")
    if group is not None and group.args.get("all"):
        items = [item.node for item in shape.items if not item.node.find(exp.AggFunc)]
        return items if all(shape.column(item) for item in items) else None
    if group is not None and any(value for name, value in group.args.items() if name != "expressions"):
        return None
    if shape.select.args.get("distinct"):
        return [item.node for item in shape.items]
    return [shape.grouped(node) for node in group.expressions] if group is not None else []


def is_by_the_rule(node: exp.Expression, column: Column, term: exp.Expression) -> bool:
    """Say whether what stands between a column and `term` is the same for every spelling of a text."""
    text = column.type.family == "VARCHAR" and column.companion is None
    return not text or all(isinstance(each, _BY_THE_RULE) for each in _above(node, term))


def _above(node: exp.Expression, term: exp.Expression) -> Iterator[exp.Expression]:
    while node is not term and node.parent is not None:
        node = node.parent
        yield node


def groupable(column: Column, table: Table) -> bool:
    """Say whether the service groups by a column: neither by dates nor by multi-choice columns, nor by the key.

    Labels and names come as annotations of the values they belong to, and equal ones are merged.
    """
    if column.companion is Companion.NAME:
        return table.columns[column.base].kind in (Kind.CHOICE, Kind.LOOKUP)
    plain = column.companion is None and column.kind not in _UNGROUPED
    return plain and column.type.family in _GROUPABLE and column.name != table.primary_key
