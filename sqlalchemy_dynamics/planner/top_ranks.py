"""The first rows of a table by a window: `QUALIFY row_number() OVER (ORDER BY x) <= 5`, or outside, `WHERE r <= 5`.

Rows further behind have a greater number and are dropped, so that the table is read until what it is ordered by changes
behind the last row wanted.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.filters import Both
from sqlalchemy_dynamics.odata.query import Order
from sqlalchemy_dynamics.planner.names import Occurrence, from_nodes
from sqlalchemy_dynamics.planner.plan import Limit, Scan
from sqlalchemy_dynamics.planner.pushdown import Translator
from sqlalchemy_dynamics.planner.shape import order_by, sortable

__all__ = ["top_ranks"]

_RANKS = frozenset({"rank", "rownumber", "row_number"})
_PLAIN = frozenset({"expressions", "from_", "from", "where", "qualify", "order", "limit", "offset"})


def top_ranks(select: exp.Select, occurrences: list[Occurrence], translator: Translator) -> Scan | None:
    """Return the scan of the first rows of the one table `select` reads, None when they do not suffice."""
    nodes = list(from_nodes(select))
    table = next((each for each in occurrences if len(nodes) == 1 and each.node is nodes[0]), None)
    windows = list(select.find_all(exp.Window))
    if table is None or not table.table.joined or not windows or not _is_plain(select):
        return None
    most = next((found for window in windows for found in _most(window, select) if found is not None), None)
    leading = _leading(windows, table, translator)
    where = select.args.get("where")
    pushed = translator.translate(where.this, table) if where is not None else None
    if most is None or not leading or (where is not None and (pushed is None or not pushed.exact)):
        return None
    key = table.table.columns[table.table.primary_key]
    names = tuple(column.name for _, column in leading)
    condition = Both(()) if pushed is None else pushed.filter
    orders = tuple(order for order, _ in leading)
    return Scan(table.number, table.table, (key,), condition, orders, leading=(names, Limit(most)))


def _is_plain(select: exp.Select) -> bool:
    plain = not any(value for key, value in select.args.items() if key not in _PLAIN)
    return (
        plain
        and select.find(exp.Subquery, exp.Unnest, exp.Explode) is None
        and len(list(select.find_all(exp.Select))) == 1
    )


def _leading(windows: list[exp.Window], table: Occurrence, translator: Translator) -> list[tuple[Order, Column]]:
    """Return what all windows are ordered by first, as the service's order; text is ordered here otherwise."""
    if any(window.args.get("partition_by") or window.args.get("alias") for window in windows):
        return []
    if len({window.args["order"].sql() if window.args.get("order") else "" for window in windows}) > 1:
        return []
    if any(not _is_rank(window) for window in windows) or not windows[0].args.get("order"):
        return []
    found: list[tuple[Order, Column]] = []
    for ordered in windows[0].args["order"].expressions:
        owned = translator.sources.owner_of(ordered.this)
        able = owned is not None and owned[0] is table and sortable(owned[1]) and owned[1].type.family != "VARCHAR"
        order = order_by(owned[1], ordered) if able and owned is not None else None
        if order is None or owned is None:
            break
        found.append((order, owned[1]))
    return found


def _is_rank(window: exp.Window) -> bool:
    name = window.this.name if isinstance(window.this, exp.Anonymous) else window.this.key
    return name.lower() in _RANKS


def _most(window: exp.Window, select: exp.Select) -> Iterator[int | None]:
    """Yield the greatest number of this window that any row of the answer has, as far as conditions say it."""
    qualify = select.args.get("qualify")
    for term in _terms(qualify.this if qualify is not None else None):
        if _side(term) is window:
            yield _bound(term)
    holder = select.parent
    outer = holder.find_ancestor(exp.Select) if isinstance(holder, exp.Subquery) and _is_source(holder) else None
    name = window.parent.alias if isinstance(window.parent, exp.Alias) else ""
    where = outer.args.get("where") if outer is not None else None
    if outer is None or holder is None or not name or len(list(from_nodes(outer))) != 1:
        return
    for term in _terms(where.this if where is not None else None):
        side = _side(term)
        here = ("", holder.alias.lower())
        if isinstance(side, exp.Column) and side.name.lower() == name.lower() and side.table.lower() in here:
            yield _bound(term)


def _is_source(holder: exp.Subquery) -> bool:
    return isinstance(holder.parent, exp.From) and not any(
        holder.args.get(key) for key in ("sample", "pivots", "joins")
    )


def _terms(condition: exp.Expression | None) -> list[exp.Expression]:
    if condition is None:
        return []
    return list(condition.flatten()) if isinstance(condition, exp.And) else [condition]


def _side(term: exp.Expression) -> exp.Expression | None:
    while isinstance(term, exp.Paren):
        term = term.this
    return term.this if isinstance(term, (exp.LTE, exp.LT, exp.EQ)) else None


def _bound(term: exp.Expression) -> int | None:
    while isinstance(term, exp.Paren):
        term = term.this
    number = term.expression
    whole = isinstance(number, exp.Literal) and not number.is_string and number.this.isdecimal()
    return int(number.this) if whole else None
