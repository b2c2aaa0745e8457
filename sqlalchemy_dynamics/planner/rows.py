"""Statements whose rows the service can deliver in the right order and number."""

from __future__ import annotations

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.filters import Path
from sqlalchemy_dynamics.odata.query import Order
from sqlalchemy_dynamics.planner.plan import Limit, Output, Rows, Scan
from sqlalchemy_dynamics.planner.shape import Shape, apart_orders, leading_orders, limit_of, orders_of

__all__ = ["branch_scan", "is_scalar", "leading_scan", "limited_scan", "plain_rows"]

_KNOWN_SCALARS = frozenset({"STRFTIME"})


def plain_rows(shape: Shape) -> Rows | None:
    """Return the plan for a statement of plain columns, None when anything is left to compute."""
    if not _is_row_per_row(shape) or any(item.column is None for item in shape.items):
        return None
    found, limit = _service_order(shape), limit_of(shape.select)
    if found is None or limit is None:
        return None
    columns: dict[str, Column] = {item.column.name: item.column for item in shape.items if item.column is not None}
    positions = {name: position for position, name in enumerate(columns)}
    outputs = tuple(
        Output(item.name, item.column.type, positions[item.column.name], item.column.nullable)
        for item in shape.items
        if item.column is not None
    )
    orders, apart = found
    scan = Scan(1, shape.occurrence.table, tuple(columns.values()), shape.filter, orders, limit, apart=apart)
    return Rows(scan, outputs, limit)


def _service_order(shape: Shape) -> tuple[tuple[Order, ...], Path | None] | None:
    """Return ORDER BY as the service's own, in two parts where NULLs stand at the other end and few rows are wanted."""
    orders = orders_of(shape)
    if orders is not None:
        return orders, None
    return apart_orders(shape) if shape.select.args.get("limit") else None


def limited_scan(shape: Shape) -> Scan | None:
    """Return an ordered, limited scan of the key for a statement that computes from each row, None when impossible."""
    if not _is_row_per_row(shape) or not is_scalar(shape.select):
        return None
    found, limit = _service_order(shape), limit_of(shape.select)
    if found is None or limit is None or limit.count is None:
        return None
    table, (orders, apart) = shape.occurrence.table, found
    key = (table.columns[table.primary_key],)
    return Scan(shape.occurrence.number, table, key, shape.filter, orders, limit, apart=apart)


def leading_scan(shape: Shape) -> Scan | None:
    """Return a scan in the order that service and local engine agree on, stopped when the first rows are there.

    For `ORDER BY n, upper(name) LIMIT 10`: ordered by n, read until n changes behind the tenth row.
    """
    leading, limit = leading_orders(shape), limit_of(shape.select)
    if not leading or limit is None or limit.count is None:
        return None
    if not _is_row_per_row(shape) or not is_scalar(shape.select):
        return None
    table = shape.occurrence.table
    return Scan(
        shape.occurrence.number,
        table,
        (table.columns[table.primary_key],),
        shape.filter,
        tuple(order for order, _ in leading),
        leading=(tuple(column.name for _, column in leading), limit),
    )


def branch_scan(shape: Shape, orders: tuple[Order, ...], limit: Limit) -> Scan | None:
    """Return the scan of one branch of a UNION ALL whose first rows alone are wanted."""
    if not _is_row_per_row(shape) or not is_scalar(shape.select) or shape.select.args.get("limit"):
        return None
    table = shape.occurrence.table
    return Scan(shape.occurrence.number, table, (table.columns[table.primary_key],), shape.filter, orders, limit)


def is_scalar(select: exp.Select, subqueries: bool = False) -> bool:
    """No aggregate and nothing that makes rows; a function sqlglot does not know could be either."""
    if select.find(exp.AggFunc, exp.UDTF, exp.Explode) or (not subqueries and select.find(exp.Subquery)):
        return False
    unknown = (node for node in select.find_all(exp.Anonymous) if node.name.upper() not in _KNOWN_SCALARS)
    return all(node.find_ancestor(exp.Where) for node in unknown)


def _is_row_per_row(shape: Shape) -> bool:
    """One result row per table row: no grouping, or one that holds the primary key."""
    select, key = shape.select, shape.occurrence.table.primary_key
    if select.args.get("having"):
        return False
    if select.args.get("distinct") and key not in {item.column.name for item in shape.items if item.column}:
        return False
    group = select.args.get("group")
    if group is None:
        return True
    if any(value for name, value in group.args.items() if name != "expressions"):
        return False
    grouped = [shape.column(shape.grouped(node)) for node in group.expressions]
    names = {column.name for column in grouped if column is not None}
    chosen = {item.column.name if item.column else None for item in shape.items}
    return None not in grouped and key in names and chosen <= names
