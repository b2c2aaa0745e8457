"""Scans that a LIMIT cuts short: of their own SELECT, or of the UNION ALL they are a branch of."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.query import Order
from sqlalchemy_dynamics.planner.names import Occurrence
from sqlalchemy_dynamics.planner.plan import Scan
from sqlalchemy_dynamics.planner.pushdown import Translator
from sqlalchemy_dynamics.planner.rows import branch_scan, leading_scan, limited_scan
from sqlalchemy_dynamics.planner.shape import Shape, limit_of, order_by, shape_of, sortable
from sqlalchemy_dynamics.planner.top_ranks import top_ranks

__all__ = ["first_rows"]


def first_rows(tree: exp.Expression, occurrences: list[Occurrence], translator: Translator) -> dict[int, Scan]:
    """Return the scans of which only the first rows are wanted, by number; their WHERE is taken out of the tree."""
    found: dict[int, Scan] = {}
    for select in [each for each in tree.find_all(exp.Select) if each.args.get("limit")]:
        shape = _shape(select, occurrences, translator)
        if shape is not None:
            found.update(_of_select(select, shape))
    for select in [each for each in tree.find_all(exp.Select) if each.find(exp.Window)]:
        scan = top_ranks(select, occurrences, translator)
        if scan is not None and scan.number not in found:
            found[scan.number] = scan
            select.set("where", None)
    for union in [each for each in tree.find_all(exp.Union) if each.args.get("limit")]:
        found.update(_of_union(union, occurrences, translator))
    return found


def _shape(select: exp.Select, occurrences: list[Occurrence], translator: Translator) -> Shape | None:
    inside = [each for each in occurrences if each.node.find_ancestor(exp.Select) is select]
    return shape_of(select, inside, translator)


def _of_select(select: exp.Select, shape: Shape) -> dict[int, Scan]:
    """ORDER BY is taken out when the service orders: the rows come in its order, and the engine keeps it.

    But for DISTINCT and GROUP BY, behind which rows come in any order.
    """
    scan = limited_scan(shape)
    if scan is None:
        scan = leading_scan(shape)
    elif not select.args.get("distinct") and not select.args.get("group"):
        select.set("order", None)
    if scan is None:
        return {}
    select.set("where", None)
    return {scan.number: scan}


def _of_union(union: exp.Union, occurrences: list[Occurrence], translator: Translator) -> dict[int, Scan]:
    """The first rows of a UNION ALL are among the first rows of its branches."""
    limit = limit_of(union)
    if limit is None or limit.count is None:
        return {}
    names: list[str] = []
    found: dict[int, Scan] = {}
    for branch in _branches(union):
        shape = _shape(branch, occurrences, translator)
        names = names or [item.alias_or_name.lower() for item in branch.expressions]
        orders = None if shape is None else _orders(union, names, shape)
        scan = None if shape is None or orders is None else branch_scan(shape, orders, limit)
        if scan is not None:
            found[scan.number] = scan
            branch.set("where", None)
    return found


def _branches(node: exp.Expression) -> Iterator[exp.Select]:
    if isinstance(node, exp.Union):
        inner_limit = node.args.get("limit") and isinstance(node.parent, exp.SetOperation)
        if node.args.get("distinct") or inner_limit:
            return
        yield from _branches(node.left)
        yield from _branches(node.right)
    elif isinstance(node, exp.Subquery) and not any(node.args.get(key) for key in ("limit", "order", "alias")):
        yield from _branches(node.this)
    elif isinstance(node, exp.Select):
        yield node


def _orders(union: exp.Union, names: list[str], shape: Shape) -> tuple[Order, ...] | None:
    """Return the union's ORDER BY as the branch's own; text is ordered by rules of its own on either side."""
    clause = union.args.get("order")
    orders: list[Order] = []
    for ordered in clause.expressions if clause is not None else ():
        column = _column(ordered.this, names, shape)
        if column is None or column.type.family == "VARCHAR" or not sortable(column):
            return None
        order = order_by(column, ordered)
        if order is None:
            return None
        orders.append(order)
    return tuple(orders) if shape.occurrence.table.joined or not orders else None


def _column(node: exp.Expression, names: list[str], shape: Shape) -> Column | None:
    if isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit():
        position = int(node.this) - 1
    elif isinstance(node, exp.Column) and not node.table and names.count(node.name.lower()) == 1:
        position = names.index(node.name.lower())
    else:
        return None
    return shape.items[position].column if 0 <= position < len(shape.items) else None
