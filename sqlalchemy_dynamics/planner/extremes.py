"""`min(x)` and `max(x)` of a whole table: the first row in the service's order, whatever the table's size."""

from __future__ import annotations

from sqlglot import exp

from sqlalchemy_dynamics.odata.query import Order
from sqlalchemy_dynamics.planner.plan import Scan
from sqlalchemy_dynamics.planner.shape import Shape, sortable

__all__ = ["extremes_of"]


def extremes_of(shape: Shape) -> Scan | None:
    """Return a scan of just the extreme rows when the statement asks for nothing but minima and maxima.

    Text is left out: the service orders it by the organisation's language, the local engine by its own rule. Elastic
    tables order GUIDs as text (dataverse-web-api: elastic tables).
    """
    select = shape.select
    if any(select.args.get(key) for key in ("group", "distinct", "having", "order")):
        return None
    orders: dict[tuple[str, bool], Order] = {}
    unordered = ("VARCHAR",) if shape.occurrence.table.joined else ("VARCHAR", "UUID")
    columns = {}
    for node in select.find_all(exp.AggFunc):
        column = shape.column(node.this) if isinstance(node, (exp.Min, exp.Max)) else None
        plain = column is not None and sortable(column) and column.type.family not in unordered
        if column is None or not plain or node.args.get("expressions") or isinstance(node.parent, exp.Filter):
            return None
        columns[column.name] = column
        orders[column.name, isinstance(node, exp.Max)] = Order((column.wire,), isinstance(node, exp.Max))
    if not orders or not _aggregates_only(select):
        return None
    table = shape.occurrence.table
    return Scan(shape.occurrence.number, table, tuple(columns.values()), shape.filter, extremes=tuple(orders.values()))


def _aggregates_only(select: exp.Select) -> bool:
    """No column and no function of unknown kind outside the aggregates."""
    nodes = (node for item in select.expressions for node in item.find_all(exp.Column, exp.Anonymous))
    return all(node.find_ancestor(exp.AggFunc) is not None for node in nodes)
