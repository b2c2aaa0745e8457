"""The plain shape: one SELECT over one base table, whose WHERE goes down exactly. What rows and groups start from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Companion, Kind
from sqlalchemy_dynamics.odata.filters import Both, Filter, Path
from sqlalchemy_dynamics.odata.query import Order
from sqlalchemy_dynamics.planner.names import Occurrence, Sources
from sqlalchemy_dynamics.planner.parse import parameter_key
from sqlalchemy_dynamics.planner.plan import Amount, Left, Limit, Marker
from sqlalchemy_dynamics.planner.pushdown import Translator

__all__ = [
    "Item",
    "Shape",
    "amount_of",
    "apart_orders",
    "leading_orders",
    "limit_of",
    "monotone",
    "order_by",
    "orders_of",
    "shape_of",
    "sortable",
]

_PLAIN = frozenset({"expressions", "from_", "from", "where", "order", "limit", "offset", "group", "having", "distinct"})
_CUTS = frozenset({"DATE", "TIMESTAMP", "TIMESTAMPTZ", "DATETIME", "TIMESTAMPNTZ"})
_UNSORTED_KINDS = (Kind.LOOKUP, Kind.MULTICHOICE, Kind.FILE, Kind.FILE_NAME, Kind.IMAGE, Kind.ENTITY_NAME)


@dataclass(frozen=True)
class Item:
    """One entry of the select list; `column` when it is a plain column, `name` as the result shows it."""

    node: exp.Expression
    name: str
    column: Column | None


@dataclass(frozen=True)
class Shape:
    """A SELECT of the plain shape; stars are expanded in `items`.

    `paths` are where the service finds those columns of the table that belong to rows it looks up, `left` the lookup
    among them that need not find a row.
    """

    select: exp.Select
    occurrence: Occurrence
    translator: Translator
    filter: Filter
    items: tuple[Item, ...]
    paths: Mapping[str, Path] = field(default_factory=dict)
    left: Left | None = None

    @property
    def sources(self) -> Sources:
        """The name spaces of the statement."""
        return self.translator.sources

    def column(self, node: exp.Expression) -> Column | None:
        """Return the table's column that a node names; None for anything else, and for columns of other tables."""
        owned = self.sources.owner_of(node)
        return owned[1] if owned is not None and owned[0] is self.occurrence else None

    def grouped(self, node: exp.Expression) -> exp.Expression:
        """Return what a term of GROUP BY means: a position, a column, or else the output of that name."""
        meant: list[Item] = []
        if isinstance(node, exp.Literal) and node.this.isdigit():
            meant = list(self.items[max(0, int(node.this) - 1) : int(node.this)])
        elif isinstance(node, exp.Column) and not node.table and self.column(node) is None:
            meant = [item for item in self.items if item.name.lower() == node.name.lower()]
        return meant[0].node if len(meant) == 1 else node


def shape_of(tree: exp.Expression, occurrences: list[Occurrence], translator: Translator) -> Shape | None:
    """Return the plain shape of a statement, None when it is anything more."""
    if not isinstance(tree, exp.Select) or not _is_plain(tree):
        return None
    start = tree.args.get("from_") or tree.args.get("from")
    occurrence = next((each for each in occurrences if start is not None and each.node is start.this), None)
    if occurrence is None or _is_decorated(occurrence.node) or not occurrence.table.trusted:
        return None
    where = tree.args.get("where")
    pushed = translator.translate(where.this, occurrence) if where is not None else None
    if where is not None and (pushed is None or not pushed.exact):
        return None
    items = _items(tree, occurrence, translator.sources)
    if items is None:
        return None
    return Shape(tree, occurrence, translator, pushed.filter if pushed else Both(()), items)


def _is_plain(select: exp.Select) -> bool:
    if any(value for key, value in select.args.items() if key not in _PLAIN):
        return False
    distinct = select.args.get("distinct")
    if isinstance(distinct, exp.Distinct) and distinct.args.get("on"):
        return False
    inside = [each for each in select.find_all(exp.Select) if each is not select and not _in_where(each, select)]
    if select.find(exp.Window) and not select.args.get("group"):
        return False
    return not inside and not select.find(exp.Columns, exp.Unnest)


def _in_where(inner: exp.Select, select: exp.Select) -> bool:
    """What stands in WHERE is judged there: it goes down exactly, or the shape is not plain."""
    where = select.args.get("where")
    node: exp.Expression | None = inner
    while node is not None and node is not where:
        node = node.parent
    return where is not None and node is where


def _is_decorated(node: exp.Table) -> bool:
    alias = node.args.get("alias")
    columns = isinstance(alias, exp.TableAlias) and alias.args.get("columns")
    return bool(columns or any(node.args.get(key) for key in ("sample", "pivots", "joins")))


def _items(select: exp.Select, occurrence: Occurrence, sources: Sources) -> tuple[Item, ...] | None:
    items: list[Item] = []
    for node in select.expressions:
        if node.is_star and not isinstance(node, exp.AggFunc):
            if not _is_bare_star(node):
                return None
            items += [Item(node, column.name, column) for column in occurrence.table.listed]
            continue
        inner = node.this if isinstance(node, exp.Alias) else node
        owned = sources.owner(inner) if isinstance(inner, exp.Column) else None
        column = owned[1] if owned is not None else None
        items.append(Item(inner, node.alias or (column.name if column else ""), column))
    return tuple(items)


def _is_bare_star(node: exp.Expression) -> bool:
    star = node if isinstance(node, exp.Star) else node.this
    return isinstance(star, exp.Star) and not any(star.args.values())


def limit_of(select: exp.Select) -> Limit | None:
    """Return LIMIT and OFFSET when both are whole numbers or parameters, None otherwise."""
    limit, offset = select.args.get("limit"), select.args.get("offset")
    if limit is not None and not isinstance(limit, exp.Limit):
        return None
    count, skip = amount_of(limit), amount_of(offset)
    return None if count is False or skip is False else Limit(count, skip)


def amount_of(clause: exp.Expression | None) -> Amount | bool:
    """Return the amount of a LIMIT or OFFSET; False stands for "not a whole number"."""
    if clause is None:
        return None
    if clause.args.get("limit_options") or clause.args.get("expressions"):
        return False
    node = clause.expression
    if isinstance(node, exp.Literal) and node.this.strip().isdecimal():
        return int(node.this)
    key = parameter_key(node) if node is not None else None
    return False if key is None else Marker(key)


def orders_of(shape: Shape) -> tuple[Order, ...] | None:
    """Return ORDER BY as the service's own order, None when the service would order differently."""
    orders = [order for order, _ in _orders(shape)]
    joined = shape.occurrence.table.joined  # an elastic table sorts by one column, and the key is always another
    if None in orders or (orders and not joined):
        return None
    return tuple(order for order in orders if order is not None)


def apart_orders(shape: Shape) -> tuple[tuple[Order, ...], Path] | None:
    """Return ORDER BY whose first term has its NULLs at the other end, and the path of that term.

    The service can be asked for the rows with a value and for those without, one after the other.
    """
    found = list(_orders(shape))
    clause = shape.select.args.get("order")
    if not found or clause is None or not shape.occurrence.table.joined:
        return None
    (order, column), rest = found[0], tuple(each for each, _ in found[1:])
    turned = clause.expressions[0].copy()
    turned.set("nulls_first", not turned.args.get("nulls_first"))
    able = order is None and column is not None and (sortable(column) or _is_lookup_name(shape, column))
    first = order_by(column, turned) if able and column is not None else None
    if first is None or None in rest:
        return None
    return (first, *(each for each in rest if each is not None)), first.path


def leading_orders(shape: Shape) -> tuple[tuple[Order, Column], ...]:
    """Return the first terms of ORDER BY that service and local engine order alike; text is not among them."""
    leading: list[tuple[Order, Column]] = []
    for order, column in _orders(shape) if shape.occurrence.table.joined else ():
        if order is None or column is None or column.type.family == "VARCHAR":
            break
        leading.append((order, column))
    return tuple(leading)


def _orders(shape: Shape) -> Iterator[tuple[Order | None, Column | None]]:
    clause = shape.select.args.get("order")
    terms = clause.expressions if clause is not None else []
    for ordered in terms:
        column = _ordered_column(shape, ordered.this, ordered is terms[-1])
        able = column is not None and (sortable(column) or _is_lookup_name(shape, column))
        yield (order_by(column, ordered) if able and column is not None else None), column


def order_by(column: Column, ordered: exp.Ordered) -> Order | None:
    """Return one term as the service's order; NULLs come first ascending and last descending there."""
    descending = bool(ordered.args.get("desc"))
    if ordered.args.get("with_fill"):
        return None
    if column.nullable and bool(ordered.args.get("nulls_first")) == descending:
        return None
    return Order((column.wire,), descending)


def _ordered_column(shape: Shape, node: exp.Expression, last: bool) -> Column | None:
    """A bare name is an output alias first, then a column; a number is a position."""
    named: list[Item] | None = None
    if isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit():
        named = list(shape.items[max(0, int(node.this) - 1) : int(node.this)])
    elif isinstance(node, exp.Column) and not node.table:
        named = [item for item in shape.items if item.name.lower() == node.name.lower()] or None
    if named is None:
        return shape.column(monotone(node, last))
    if len(named) != 1:
        return None
    return named[0].column or shape.column(monotone(named[0].node, last))


def monotone(node: exp.Expression, last: bool) -> exp.Expression:
    """Return what an expression is ordered by as well: text in small or capital letters, and, where equal values are
    not ordered further, the date that a year or a day is cut from.
    """
    while isinstance(node, (exp.Paren, exp.Lower, exp.Upper)):
        node = node.this
    if not last:
        return node
    dated = isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast) and node.to.this.name in _CUTS
    cut = isinstance(node, (exp.DateTrunc, exp.TimestampTrunc)) and not node.args.get("zone")
    inner = node.this if dated or cut or isinstance(node, (exp.Year, exp.Date)) else None
    if isinstance(inner, exp.TsOrDsToDate):
        inner = inner.this
    return inner if isinstance(inner, exp.Column) else node


def _is_lookup_name(shape: Shape, column: Column) -> bool:
    """What the service sorts a lookup by (dataverse-web-api: $orderby)."""
    base = shape.occurrence.table.columns.get(column.base)
    return column.companion is Companion.NAME and base is not None and base.kind is Kind.LOOKUP


def sortable(column: Column) -> bool:
    """The service sorts a lookup by its row's name."""
    return column.companion is None and column.kind not in _UNSORTED_KINDS and column.type.family != "BLOB"
