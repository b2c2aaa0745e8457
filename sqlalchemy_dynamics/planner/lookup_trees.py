"""Tables joined along lookups, as seen from the one that every row of the result has a row of.

Every other table is reached from that root by lookups, so that a row of the root makes one row of the result, or none
when an inner join finds nothing. Conditions about the others are said along the way to them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from sqlalchemy_dynamics.odata.binding import simplify
from sqlalchemy_dynamics.odata.filters import Both, Filter, Null, Path
from sqlalchemy_dynamics.planner.expansion import MOST_EXPANSIONS, through
from sqlalchemy_dynamics.planner.implied import is_odd
from sqlalchemy_dynamics.planner.names import Occurrence, from_nodes
from sqlalchemy_dynamics.planner.paths import needs_a_row, way_to
from sqlalchemy_dynamics.planner.pushdown import Translator

__all__ = ["Tree", "filter_of", "tree_of"]


@dataclass
class Tree:
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


def _is_joined(select: exp.Select, occurrences: list[Occurrence]) -> bool:
    joins = select.args.get("joins") or []
    if not joins or is_odd(select) or any(join.side not in ("", "LEFT") or join.args.get("using") for join in joins):
        return False
    nodes = list(from_nodes(select))
    known = {id(each.node) for each in occurrences if each.table.joined and each.table.trusted}
    return len(nodes) <= MOST_EXPANSIONS and all(id(node) in known and not _is_renamed(node) for node in nodes)


def _is_renamed(node: exp.Expression) -> bool:
    alias = node.args.get("alias")
    return isinstance(alias, exp.TableAlias) and bool(alias.args.get("columns"))


def tree_of(select: exp.Select, occurrences: list[Occurrence], translator: Translator) -> Tree | None:
    """Return the tables of a SELECT as a tree of lookups, None when they are joined in any other way."""
    if not _is_joined(select, occurrences):
        return None
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
        found = Tree(root, optional, list(shared), [root])
        while root.number not in optional and _reach(found, tables, translator):
            if len(found.tables) == len(tables):
                return found
    return None


def _terms(condition: exp.Expression | None) -> list[exp.Expression]:
    if condition is None:
        return []
    return list(condition.flatten()) if isinstance(condition, exp.And) else [condition]


def _reach(tree: Tree, tables: list[Occurrence], translator: Translator) -> bool:
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


def filter_of(tree: Tree, translator: Translator) -> Filter | None:
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


def _said(term: exp.Expression, tree: Tree, translator: Translator) -> tuple[Occurrence, Filter | None]:
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
