"""The order of GUIDs in the residual SQL: SQL Server's, which the service sorts by, not the local engine's.

Wherever GUIDs are put in order (ORDER BY, windows, ranges, MIN and MAX), `guid_key` stands around them.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Table
from sqlalchemy_dynamics.planner.constants import is_constant
from sqlalchemy_dynamics.planner.names import Sources, cte_of, from_nodes

__all__ = ["Types", "order_guids", "output_of"]

_RANGES = (exp.GT, exp.GTE, exp.LT, exp.LTE)
_FIRST = (
    exp.Paren, exp.Min, exp.Max, exp.ArgMin, exp.ArgMax, exp.First, exp.AnyValue, exp.Window, exp.Filter, exp.Nullif,
    exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.IgnoreNulls, exp.RespectNulls,
)  # fmt: skip
"""What has the type of its first argument."""


class Types:
    """Says which expressions are GUIDs. `table` is the one table that is read, where `sources` do not know the tree."""

    def __init__(self, sources: Sources, table: Table | None = None) -> None:
        self._sources, self._table = sources, table
        self._looking: set[tuple[int, str]] = set()

    def is_guid(self, node: exp.Expression | None) -> bool:
        """Say whether an expression surely is a GUID."""
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, exp.Cast):
            return bool(node.to.this.name == "UUID")
        if isinstance(node, _FIRST):
            return self.is_guid(node.this)
        if isinstance(node, exp.Subquery):
            query = _first_branch(node)
            return isinstance(query, exp.Select) and self.is_guid(_inner(query.expressions[0]))
        return self._chosen(_choices(node))

    def _chosen(self, choices: list[exp.Expression]) -> bool:
        known = [choice for choice in choices if not is_constant(choice)]
        return bool(known) and all(map(self.is_guid, known))

    def _column(self, column: exp.Column) -> bool:
        if self._table is not None:
            found = self._table.column(column.name)
            return found is not None and found.companion is None and found.type.family == "UUID"
        owned = self._sources.owner(column)
        if owned is not None:
            return owned[1].companion is None and owned[1].type.family == "UUID"
        return self._derived(column)

    def _derived(self, column: exp.Column) -> bool:
        """A column of a derived table, or of a common table expression."""
        select, qualifier = column.find_ancestor(exp.Select), column.table.lower()
        while select is not None:
            for node in from_nodes(select):
                if qualifier in ("", (node.alias or node.name).lower()) and self._node_offers(
                    node, column.name.lower()
                ):
                    return True
            select = select.find_ancestor(exp.Select)
        return False

    def _node_offers(self, node: exp.Expression, name: str) -> bool:
        if isinstance(node, exp.Subquery):
            return self.offers(node.this, name)
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            return False
        cte = cte_of(node)
        if cte is not None:
            return self.offers(cte.this, name)
        probe = next((each.table.column(name) for each in self._sources.occurrences if each.node is node), None)
        return probe is not None and probe.companion is None and probe.type.family == "UUID"

    def offers(self, query: exp.Expression, name: str) -> bool:
        """Say whether the output column of that name is a GUID."""
        query = _first_branch(query)
        if not isinstance(query, exp.Select) or (id(query), name) in self._looking:
            return False
        self._looking.add((id(query), name))
        try:
            return any(self._item_offers(query, item, name) for item in query.expressions)
        finally:
            self._looking.discard((id(query), name))

    def _item_offers(self, query: exp.Select, item: exp.Expression, name: str) -> bool:
        if item.is_star and not isinstance(item, exp.AggFunc):
            qualifier = item.table.lower() if isinstance(item, exp.Column) else ""
            nodes = (node for node in from_nodes(query) if qualifier in ("", (node.alias or node.name).lower()))
            return any(self._node_offers(node, name) for node in nodes)
        return item.alias_or_name.lower() == name and self.is_guid(_inner(item))


def order_guids(tree: exp.Expression, types: Types) -> None:
    """Put GUIDs in SQL Server's order wherever the statement orders them."""
    wanted: list[Callable[[], None]] = []
    for node in tree.find_all(exp.Ordered, *_RANGES, exp.Between, exp.Min, exp.Max, exp.ArgMin, exp.ArgMax):
        change = _CHANGES[type(node)](node, types)
        if change is not None:
            wanted.append(change)
    for change in reversed(wanted):
        change()


def _ordered(node: exp.Ordered, types: Types) -> Callable[[], None] | None:
    if node.find_ancestor(exp.WithinGroup, exp.Select) is not None and isinstance(node.parent.parent, exp.WithinGroup):
        return None
    query = node.parent.parent if isinstance(node.parent, exp.Order) else None
    term = output_of(node.this, query) if isinstance(query, (exp.Select, exp.SetOperation, exp.Subquery)) else node.this
    if isinstance(query, exp.Select) or term is None or query is None:
        guid = types.is_guid(term)
    else:
        first = _first_branch(query)
        by_name = isinstance(query, (exp.SetOperation, exp.Subquery)) and isinstance(term, exp.Column)
        guid = types.offers(first, term.name.lower()) if by_name else types.is_guid(term)
    if not guid or term is None:
        return None
    value = exp.AnyValue(this=term.copy()) if _is_one_of_all(term, query) else term
    return lambda: node.set("this", _key(value))


def _is_one_of_all(term: exp.Expression, query: exp.Expression | None) -> bool:
    """Say whether a term is selected under GROUP BY ALL: a key of the groups, which the engine knows as written only.

    An aggregate gives the key back.
    """
    group = query.args.get("group") if isinstance(query, exp.Select) else None
    if query is None or group is None or not group.args.get("all") or term.find(exp.AggFunc):
        return False
    return any(_inner(item) == term or _spans(_inner(item), term) for item in query.expressions)


def _spans(item: exp.Expression, term: exp.Expression) -> bool:
    """Say whether an item is the column of that name, or a star that spans it."""
    if not isinstance(term, exp.Column) or not isinstance(item, (exp.Column, exp.Star)):
        return False
    named = item.is_star or item.name.lower() == term.name.lower()
    return named and (not item.text("table") or not term.table or item.text("table").lower() == term.table.lower())


def output_of(term: exp.Expression, query: exp.Expression) -> exp.Expression | None:
    """Return what a number or a bare name in ORDER BY stands for: an output column first."""
    select = _first_branch(query)
    items = select.expressions if isinstance(select, exp.Select) else []
    found: exp.Expression | None = None
    if isinstance(term, exp.Literal) and not term.is_string and term.this.isdecimal():
        position = int(term.this) - 1
        starred = any(item.is_star for item in items)
        found = items[position] if not starred and 0 <= position < len(items) else None
        if found is None:
            return None
    elif isinstance(term, exp.Column) and not term.table:
        named = [item for item in items if item.alias_or_name.lower() == term.name.lower() and not item.is_star]
        found = named[0] if len(named) == 1 else None
    if found is None:
        return term
    if isinstance(query, exp.Select):
        return _inner(found)
    return exp.column(found.alias_or_name, quoted=True) if found.alias_or_name else None


def _compared(node: exp.Expression, types: Types) -> Callable[[], None] | None:
    sides = [node.this, node.expression]
    if all(isinstance(side, exp.Tuple) for side in sides) and len(sides[0].expressions) == len(sides[1].expressions):
        pairs = list(zip(sides[0].expressions, sides[1].expressions, strict=True))
        guids = [pair for pair in pairs if _are_guids(pair, types)]
        return (lambda: _wrap_all(guids, types)) if guids else None
    return (lambda: _wrap(sides, types)) if _are_guids(sides, types) else None


def _between(node: exp.Between, types: Types) -> Callable[[], None] | None:
    sides = [node.this, node.args["low"], node.args["high"]]
    return (lambda: _wrap(sides, types)) if _are_guids(sides, types) else None


def _extreme(node: exp.Expression, types: Types) -> Callable[[], None] | None:
    if not types.is_guid(node.this) or isinstance(node.this, exp.Distinct):
        return None
    kind = exp.ArgMin if isinstance(node, exp.Min) else exp.ArgMax
    return lambda: node.replace(
        kind(this=node.this, expression=_key(node.this), count=next(iter(node.expressions), None))
    )


def _by_extreme(node: exp.Expression, types: Types) -> Callable[[], None] | None:
    return (lambda: node.set("expression", _key(node.expression))) if types.is_guid(node.expression) else None


_CHANGES: dict[type[exp.Expression], Callable[..., Callable[[], None] | None]] = {
    exp.Ordered: _ordered,
    **dict.fromkeys(_RANGES, _compared),
    exp.Between: _between,
    exp.Min: _extreme,
    exp.Max: _extreme,
    exp.ArgMin: _by_extreme,
    exp.ArgMax: _by_extreme,
}


def _are_guids(sides: tuple[exp.Expression, ...] | list[exp.Expression], types: Types) -> bool:
    guids = [types.is_guid(side) for side in sides]
    return any(guids) and all(guid or is_constant(side) for guid, side in zip(guids, sides, strict=True))


def _wrap_all(pairs: list[tuple[exp.Expression, exp.Expression]], types: Types) -> None:
    for pair in pairs:
        _wrap(list(pair), types)


def _wrap(sides: list[exp.Expression], types: Types) -> None:
    for side in sides:
        side.replace(_key(side if types.is_guid(side) else exp.cast(side.copy(), "UUID")))


def _key(node: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this="guid_key", expressions=[node.copy()])


def _inner(item: exp.Expression) -> exp.Expression:
    return item.this if isinstance(item, exp.Alias) else item


def _choices(node: exp.Expression | None) -> list[exp.Expression]:
    """The values an expression chooses among."""
    if isinstance(node, exp.Coalesce):
        return [node.this, *node.expressions]
    if isinstance(node, exp.Case):
        given = [branch.args["true"] for branch in node.args["ifs"]]
        return [*given, node.args["default"]] if node.args.get("default") else given
    if isinstance(node, exp.If):
        return [value for value in (node.args["true"], node.args.get("false")) if value is not None]
    return []


def _first_branch(query: exp.Expression) -> exp.Expression:
    while isinstance(query, (exp.SetOperation, exp.Subquery)):
        query = query.this
    return query
