"""The aggregates that the service computes, and the measures that those of a statement are merged from."""

from __future__ import annotations

from sqlglot import exp

from sqlalchemy_dynamics.edm import BIGINT, HUGEINT, SqlType, decimal
from sqlalchemy_dynamics.metadata.model import Column, Kind
from sqlalchemy_dynamics.planner.plan import Measure
from sqlalchemy_dynamics.planner.shape import Shape

__all__ = ["METHODS", "Measures", "add_measures", "count_rows", "measured"]

METHODS: dict[type[exp.Expression], str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Min: "min",
    exp.Max: "max",
    exp.Avg: "average",
}
_UNCOUNTED = (Kind.FILE, Kind.FILE_NAME, Kind.IMAGE, Kind.MULTICHOICE, Kind.ENTITY_NAME)
_NUMBERS = frozenset({"INTEGER", "BIGINT", "DECIMAL", "DOUBLE"})

Measures = dict[tuple[str, str], Measure]
"""By method and column name; "" where counting the column is counting rows."""


def _aggregated(shape: Shape, node: exp.Expression) -> Column | None:
    return shape.column(node.this) if isinstance(node.this, exp.Expression) else None


def _counts_rows(shape: Shape, node: exp.Expression) -> bool:
    """COUNT of everything, of a column that always has a value, or of DISTINCT keys."""
    if isinstance(node.this, (exp.Star, exp.Literal, type(None))):
        return True
    if isinstance(node.this, exp.Distinct):
        columns = [shape.column(each) for each in node.this.expressions]
        return [column and column.name for column in columns] == [shape.occurrence.table.primary_key]
    column = _aggregated(shape, node)
    return column is not None and not column.nullable and column.companion is None and column.name not in shape.paths


def measured(shape: Shape, node: exp.Expression) -> str:
    """Return the aggregated column's name, "" where counting it is counting rows."""
    column = _aggregated(shape, node)
    return "" if column is None or (isinstance(node, exp.Count) and not column.nullable) else column.name


def add_measures(measures: Measures, shape: Shape, node: exp.Expression) -> bool:
    """Add the measures an aggregate is merged from; False when the service has no such aggregate."""
    method = METHODS.get(type(node))
    if method is None or node.args.get("expressions") or isinstance(node.parent, (exp.Filter, exp.WithinGroup)):
        return False
    if method == "count" and _counts_rows(shape, node):
        return count_rows(measures)
    column = _aggregated(shape, node)
    if column is None or column.companion is not None or column.name in shape.paths:
        return False
    if not (column.kind not in _UNCOUNTED if method == "count" else _is_number(column)):
        return False
    for needed in ("sum", "count") if method == "average" else (method,):
        alias = f"m_{needed}_{column.name}"
        measures.setdefault((needed, column.name), Measure(needed, column, alias, _measure_type(needed, column.type)))
    return True


def count_rows(measures: Measures) -> bool:
    """Add the number of rows."""
    measures.setdefault(("count", ""), Measure("count", None, "m_rows"))
    return True


def _is_number(column: Column) -> bool:
    return column.type.family in _NUMBERS and column.kind in (Kind.VALUE, Kind.MONEY)


def _measure_type(method: str, kind: SqlType) -> SqlType:
    if method == "count":
        return BIGINT
    if method != "sum" or kind.family == "DOUBLE":
        return kind
    return HUGEINT if kind.scale is None else decimal(38, kind.scale)
