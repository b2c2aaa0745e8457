"""Joins along lookups that the service answers alone: one table's rows in order, what they look up expanded in them.

Every other table is reached from the one at the root by lookups, so that a row of the root makes one row of the result,
or none when an inner join finds nothing. ORDER BY and LIMIT go down when they are about the root.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Kind
from sqlalchemy_dynamics.odata.query import Order
from sqlalchemy_dynamics.planner.expansion import MOST_COLUMNS
from sqlalchemy_dynamics.planner.lookup_trees import Tree, filter_of, tree_of
from sqlalchemy_dynamics.planner.names import Occurrence
from sqlalchemy_dynamics.planner.plan import Limit, Output, Rows, Scan
from sqlalchemy_dynamics.planner.pushdown import Translator
from sqlalchemy_dynamics.planner.shape import Item, Shape, leading_orders, limit_of, orders_of

__all__ = ["joined_limits", "joined_rows"]

_PLAIN = frozenset({"expressions", "from_", "from", "joins", "where", "order", "limit", "offset"})
_MANY = (exp.AggFunc, exp.Window, exp.UDTF, exp.Explode, exp.Select, exp.Columns)
_EXPANDED = frozenset({Kind.VALUE, Kind.KEY, Kind.LOOKUP, Kind.CHOICE, Kind.MONEY})


def joined_rows(tree: exp.Expression, occurrences: list[Occurrence], translator: Translator) -> Rows | None:
    """Return the plan for plain columns of tables joined along lookups, None when it is anything more."""
    if not isinstance(tree, exp.Select) or any(value for key, value in tree.args.items() if key not in _PLAIN):
        return None
    found = tree_of(tree, occurrences, translator)
    wanted = None if found is None else filter_of(found, translator)
    items = _items(tree, translator)
    if found is None or wanted is None or items is None:
        return None
    of_root = tuple(Item(node, name, column if owner is found.root else None) for node, name, owner, column in items)
    shape = Shape(tree, found.root, translator, wanted, of_root)
    orders, limit = orders_of(shape), limit_of(tree)
    columns = _columns(found, items)
    if orders is None or limit is None or not _is_light(found, columns, limit):
        return None
    root = Scan(found.root.number, found.root.table, columns[found.root.number], wanted, orders, limit)
    inside = tuple(
        Scan(each.number, each.table, columns[each.number], through=(before.number, navigation))
        for each in found.tables[1:]
        if each.number in columns
        for before, navigation in (found.parents[each.number],)
    )
    positions = {place: position for position, place in enumerate(_places(root, inside))}
    outputs = (
        Output(name, column.type, positions[owner.number, column.name], column.nullable or owner is not found.root)
        for _, name, owner, column in items
    )
    return Rows(root, tuple(outputs), limit, inside)


def joined_limits(
    tree: exp.Expression, occurrences: list[Occurrence], translator: Translator
) -> Iterator[tuple[Scan, list[Occurrence]]]:
    """Yield (scan of which only the first rows are wanted, other tables) for every LIMIT over joins along lookups.

    Something is left to compute of them; order and limit are applied again here.
    """
    for select in tree.find_all(exp.Select):
        found = _first_rows(select, occurrences, translator) if select.args.get("joins") else None
        if found is not None:
            yield found


def _first_rows(
    select: exp.Select, occurrences: list[Occurrence], translator: Translator
) -> tuple[Scan, list[Occurrence]] | None:
    if any(value for key, value in select.args.items() if key not in _PLAIN) or not _computes_rows(select):
        return None
    limit = limit_of(select)
    found = tree_of(select, occurrences, translator) if limit is not None and limit.count is not None else None
    wanted = None if found is None else filter_of(found, translator)
    if found is None or wanted is None or limit is None:
        return None
    terms = select.args["order"].expressions if select.args.get("order") else []
    shape = Shape(select, found.root, translator, wanted, _outputs(select, found.root, translator))
    leading = _leading(shape, terms)
    if terms and not leading:
        return None
    whole = len(leading) == len(terms)
    scan = Scan(
        found.root.number,
        found.root.table,
        (found.root.table.columns[found.root.table.primary_key],),
        wanted,
        tuple(order for order, _ in leading),
        limit if whole else Limit(),
        leading=None if whole else (tuple(column.name for _, column in leading), limit),
    )
    return scan, found.tables[1:]


def _computes_rows(select: exp.Select) -> bool:
    """One row of the result for each: no aggregate, and no function that could be one or make rows."""
    return not any(item.find(*_MANY, exp.Anonymous) for item in select.expressions)


def _outputs(select: exp.Select, root: Occurrence, translator: Translator) -> tuple[Item, ...]:
    outputs: list[Item] = []
    for node in select.expressions:
        inner = node.this if isinstance(node, exp.Alias) else node
        owned = translator.sources.owner_of(inner)
        outputs.append(Item(inner, node.alias_or_name, owned[1] if owned is not None and owned[0] is root else None))
    return tuple(outputs)


def _leading(shape: Shape, terms: list[exp.Ordered]) -> tuple[tuple[Order, Column], ...]:
    """Return the first terms that service and local engine order alike; a position may mean a column of `*`."""
    starred = any(item.node.is_star for item in shape.items)
    known = 0
    for term in terms:
        if starred and isinstance(term.this, exp.Literal):
            break
        known += 1
    return leading_orders(shape)[:known]


_Chosen = tuple[exp.Expression, str, Occurrence, Column]


def _items(select: exp.Select, translator: Translator) -> list[_Chosen] | None:
    items: list[_Chosen] = []
    for node in select.expressions:
        if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
            table = _named(node.table, select, translator)
            if table is None or any(node.this.args.values()):
                return None
            items += [(node, column.name, table, column) for column in table.table.listed]
            continue
        inner = node.this if isinstance(node, exp.Alias) else node
        owned = translator.sources.owner_of(inner)
        if owned is None or not isinstance(inner, exp.Column):
            return None
        items.append((inner, node.alias or owned[1].name, *owned))
    return items


def _named(alias: str, select: exp.Select, translator: Translator) -> Occurrence | None:
    found = [each.occurrence for each in translator.sources.of(select) if each.alias == alias.lower()]
    return found[0] if len(found) == 1 else None


def _columns(tree: Tree, items: list[_Chosen]) -> dict[int, tuple[Column, ...]]:
    """Return what to fetch of each table; one that is only on the way to others shows its key."""
    wanted: dict[int, dict[str, Column]] = {}
    for _, _, owner, column in items:
        wanted.setdefault(owner.number, {})[column.name] = column
    needed = {each.number: each for table in tree.tables if table.number in wanted for each in tree.chain(table)}
    for number, table in {tree.root.number: tree.root, **needed}.items():
        wanted.setdefault(number, {table.table.primary_key: table.table.columns[table.table.primary_key]})
    return {number: tuple(columns.values()) for number, columns in wanted.items()}


def _is_light(tree: Tree, columns: dict[int, tuple[Column, ...]], limit: Limit) -> bool:
    """An expanded row comes again with every row that looks it up: few columns, or few rows."""
    found = [columns[each.number] for each in tree.tables[1:] if each.number in columns]
    plain = all(each.companion is None and each.kind in _EXPANDED for group in found for each in group)
    return plain and (limit.count is not None or all(len(group) <= MOST_COLUMNS for group in found))


def _places(scan: Scan, inside: tuple[Scan, ...]) -> Iterator[tuple[int, str]]:
    """Yield (scan, column) in the order in which a reply's fields are read."""
    for column in scan.columns:
        yield scan.number, column.name
    for each in inside:
        if each.through is not None and each.through[0] == scan.number:
            yield from _places(each, inside)
