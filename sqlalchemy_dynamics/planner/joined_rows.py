"""Joins along lookups that the service answers alone: one table's rows in order, what they look up expanded in them.

Every other table is reached from the one at the root by lookups, so that a row of the root makes one row of the result,
or none when an inner join finds nothing. ORDER BY and LIMIT go down when they are about the root.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Kind
from sqlalchemy_dynamics.odata.binding import simplify
from sqlalchemy_dynamics.odata.filters import Both, Filter, Null, Path
from sqlalchemy_dynamics.planner.expansion import MOST_COLUMNS, MOST_EXPANSIONS, through
from sqlalchemy_dynamics.planner.implied import is_odd
from sqlalchemy_dynamics.planner.names import Occurrence, from_nodes
from sqlalchemy_dynamics.planner.paths import needs_a_row, way_to
from sqlalchemy_dynamics.planner.plan import Limit, Output, Rows, Scan
from sqlalchemy_dynamics.planner.pushdown import Translator
from sqlalchemy_dynamics.planner.shape import Item, Shape, limit_of, orders_of

__all__ = ["joined_rows"]

_PLAIN = frozenset({"expressions", "from_", "from", "joins", "where", "order", "limit", "offset"})
_EXPANDED = frozenset({Kind.VALUE, Kind.KEY, Kind.LOOKUP, Kind.CHOICE, Kind.MONEY})


@dataclass
class _Tree:
    """The tables by how they are reached: `parents` holds (table before, navigation property) by number.

    `optional` are the conditions of LEFT JOINs by the number of the table they bring in, `terms` what else must hold.
    """

    root: Occurrence
    optional: dict[int, list[exp.Expression]]
    terms: list[exp.Expression]
    tables: list[Occurrence] = field(default_factory=list)
    parents: dict[int, tuple[Occurrence, str]] = field(default_factory=dict)

    def chain(self, table: Occurrence) -> list[Occurrence]:
        """Return the tables on the way from the root to a table, itself at the end."""
        if table is self.root:
            return [table]
        return [*self.chain(self.parents[table.number][0]), table]

    def path(self, table: Occurrence) -> Path:
        """Return the navigation properties from the root to a table."""
        return tuple(self.parents[each.number][1] for each in self.chain(table)[1:])

    @property
    def inner(self) -> list[Occurrence]:
        """The tables that every row of the result has a row of."""
        return [each for each in self.tables if each.number not in self.optional]


def joined_rows(tree: exp.Expression, occurrences: list[Occurrence], translator: Translator) -> Rows | None:
    """Return the plan for plain columns of tables joined along lookups, None when it is anything more."""
    if not isinstance(tree, exp.Select) or not _is_plain(tree, occurrences):
        return None
    found = _tree(tree, occurrences, translator)
    wanted = None if found is None else _filter(found, translator)
    items = _items(tree, translator)
    if found is None or wanted is None or items is None:
        return None
    of_root = tuple(Item(node, name, column if owner is found.root else None) for node, name, owner, column in items)
    shape = Shape(tree, found.root, translator.sources, wanted, of_root)
    orders, limit = orders_of(shape) if _is_sorted_by_root(shape) else None, limit_of(tree)
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


def _is_plain(select: exp.Select, occurrences: list[Occurrence]) -> bool:
    joins = select.args.get("joins") or []
    if not joins or is_odd(select) or any(value for key, value in select.args.items() if key not in _PLAIN):
        return False
    if any(join.side not in ("", "LEFT") or join.args.get("using") for join in joins):
        return False
    nodes = list(from_nodes(select))
    known = {id(each.node) for each in occurrences if each.table.joined and each.table.trusted}
    return len(nodes) <= MOST_EXPANSIONS and all(id(node) in known and not _renamed(node) for node in nodes)


def _renamed(node: exp.Expression) -> bool:
    alias = node.args.get("alias")
    return isinstance(alias, exp.TableAlias) and bool(alias.args.get("columns"))


def _tree(select: exp.Select, occurrences: list[Occurrence], translator: Translator) -> _Tree | None:
    by_node = {id(each.node): each for each in occurrences}
    tables = [by_node[id(node)] for node in from_nodes(select)]
    where = select.args.get("where")
    shared = _terms(where.this if where is not None else None)
    optional: dict[int, list[exp.Expression]] = {}
    for join in select.args["joins"]:
        if join.side:
            optional[by_node[id(join.this)].number] = _terms(join.args.get("on"))
        else:
            shared += _terms(join.args.get("on"))
    for root in tables:
        found = _Tree(root, optional, list(shared), [root])
        while root.number not in optional and _reach(found, tables, translator):
            if len(found.tables) == len(tables):
                return found
    return None


def _terms(condition: exp.Expression | None) -> list[exp.Expression]:
    if condition is None:
        return []
    return list(condition.flatten()) if isinstance(condition, exp.And) else [condition]


def _reach(tree: _Tree, tables: list[Occurrence], translator: Translator) -> bool:
    """Add one more table that a lookup of a known one leads to; a LEFT JOIN must have no further condition."""
    for table in tables:
        own = tree.optional.get(table.number)
        if table in tree.tables or (own is not None and len(own) != 1):
            continue
        for term in tree.terms if own is None else own:
            way = _way(term, table, tree.inner if own is None else tree.tables, translator)
            if way is not None:
                tree.parents[table.number] = way
                tree.tables.append(table)
                tree.terms = [each for each in tree.terms if each is not term]
                return True
    return False


def _way(
    term: exp.Expression, table: Occurrence, known: list[Occurrence], translator: Translator
) -> tuple[Occurrence, str] | None:
    if not isinstance(term, exp.EQ):
        return None
    one, two = (translator.sources.owner_of(side) for side in (term.this, term.expression))
    for key, lookup in ((one, two), (two, one)):
        if key and lookup and key[0] is table and lookup[0] in known and key[1].name == table.table.primary_key:
            navigation = way_to(lookup[0].table, lookup[1], table.table.name)
            if navigation is not None:
                return lookup[0], navigation
    return None


def _filter(tree: _Tree, translator: Translator) -> Filter | None:
    """Return what is left of WHERE and ON as a filter of the root, None unless exactly.

    Rows that an inner join looks up must be there: either a condition says so, or a test of their key.
    """
    said: list[Filter] = []
    there = {tree.root.number}
    for term in tree.terms:
        table, condition = _said(term, tree, translator)
        moved = None if condition is None else _along(tree.path(table), condition)
        if condition is None or moved is None:
            return None
        said.append(moved)
        there |= {each.number for each in tree.chain(table)} if needs_a_row(condition) else set()
    for table in reversed(tree.inner):
        if table.number not in there:
            key = table.table.columns[table.table.primary_key].wire
            said.insert(0, Null((*tree.path(table), key), negated=True))
            there |= {each.number for each in tree.chain(table)}
    return simplify(Both(tuple(said)))


def _said(term: exp.Expression, tree: _Tree, translator: Translator) -> tuple[Occurrence, Filter | None]:
    for table in tree.inner:
        pushed = translator.translate(term, table)
        if pushed is not None and pushed.exact:
            return table, simplify(pushed.filter)
    return tree.root, None


def _along(path: Path, condition: Filter) -> Filter | None:
    moved: Filter | None = condition
    for navigation in reversed(path):
        moved = None if moved is None else through(navigation, moved)
    return moved


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


def _is_sorted_by_root(shape: Shape) -> bool:
    """Say whether every column that ORDER BY names is one of the root, or the name of an output."""
    order = shape.select.args.get("order")
    names = {item.name.lower() for item in shape.items}
    for node in order.find_all(exp.Column) if order is not None else ():
        owned = shape.sources.owner(node)
        named = not node.table and node.name.lower() in names
        if not named and (owned is None or owned[0] is not shape.occurrence):
            return False
    return True


def _columns(tree: _Tree, items: list[_Chosen]) -> dict[int, tuple[Column, ...]]:
    """Return what to fetch of each table; one that is only on the way to others shows its key."""
    wanted: dict[int, dict[str, Column]] = {}
    for _, _, owner, column in items:
        wanted.setdefault(owner.number, {})[column.name] = column
    needed = {each.number: each for table in tree.tables if table.number in wanted for each in tree.chain(table)}
    for number, table in {tree.root.number: tree.root, **needed}.items():
        wanted.setdefault(number, {table.table.primary_key: table.table.columns[table.table.primary_key]})
    return {number: tuple(columns.values()) for number, columns in wanted.items()}


def _is_light(tree: _Tree, columns: dict[int, tuple[Column, ...]], limit: Limit) -> bool:
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
