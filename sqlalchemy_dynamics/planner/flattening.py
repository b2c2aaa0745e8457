"""`SELECT x FROM (SELECT c.name AS x … FROM c JOIN a ON …) d` read as `SELECT c.name AS x FROM c JOIN a ON …`.

What BI tools send for a dataset that somebody wrote as a join, and what an ORM sends for a subquery. Done when the
inner query does nothing but join, choose rows and show columns under new names, each once.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from sqlalchemy_dynamics.planner.names import Sources, from_nodes
from sqlalchemy_dynamics.planner.unwrap import derived_query

__all__ = ["flattened"]

_KEPT = frozenset({"expressions", "from_", "from", "where", "joins"})
_Offered = Mapping[str, exp.Column]


def flattened(tree: exp.Expression, sources: Sources) -> bool:
    """Merge derived tables that SELECTs read alone into those, the innermost first; say whether any was."""
    merged = [_flatten(each, sources) for each in reversed(list(tree.find_all(exp.Select)))]
    return any(merged)


def _flatten(outer: exp.Select, sources: Sources) -> bool:
    query = _inner(outer)
    offered = _offered(query, sources) if query is not None else None
    return query is not None and offered is not None and _replace(outer, query, offered)


def _inner(outer: exp.Select) -> exp.Select | None:
    nodes = list(from_nodes(outer))
    if len(nodes) != 1 or outer.args.get("laterals") or outer.find(exp.Columns):
        return None
    query = derived_query(nodes[0], outer)
    if not isinstance(query, exp.Select) or any(value for key, value in query.args.items() if key not in _KEPT):
        return None
    selects = len(list(outer.find_all(exp.Select)))
    return query if selects == 1 + len(list(query.find_all(exp.Select))) else None


def _offered(query: exp.Select, sources: Sources) -> _Offered | None:
    """Return the inner columns by the names they are shown under, every one said with its table."""
    offered: dict[str, exp.Column] = {}
    for item in query.expressions:
        inner = item.this if isinstance(item, exp.Alias) else item
        column = _qualified(inner, query, sources) if isinstance(inner, exp.Column) and not item.is_star else None
        if column is None or item.alias_or_name.lower() in offered:
            return None
        offered[item.alias_or_name.lower()] = column
    return offered


def _qualified(column: exp.Column, query: exp.Select, sources: Sources) -> exp.Column | None:
    """Return a column with what FROM calls its table, None where that is not certain."""
    if column.table:
        return column
    known = [(source.alias, source.has(column.name)) for source in sources.of(query)]
    owners = [alias for alias, has in known if has]
    if len(owners) != 1 or any(has is None for _, has in known):
        return None
    return exp.column(column.this.copy(), exp.to_identifier(owners[0], quoted=True))


def _replace(outer: exp.Select, query: exp.Select, offered: _Offered) -> bool:
    node = next(from_nodes(outer))
    alias = (node.alias or node.name).lower()
    inside = {id(column) for column in query.find_all(exp.Column)}
    named = [each for each in outer.find_all(exp.Column) if id(each) not in inside]
    if not all(_is_clear(column, outer, alias, offered) for column in named):
        return False
    items = {id(item) for item in outer.expressions}
    for column in named:
        if id(column) not in items and column.name.lower() in offered:
            column.replace(offered[column.name.lower()].copy())
    outer.set("expressions", [each for item in outer.expressions for each in _shown(item, query, offered)])
    _take_over(outer, query)
    return True


def _is_clear(column: exp.Column, outer: exp.Select, alias: str, offered: _Offered) -> bool:
    """Say whether a name means a column of the derived table, or an output that is called like none of them."""
    if column.table:
        return column.table.lower() == alias and (column.is_star or column.name.lower() in offered)
    outputs = [item for item in outer.expressions if isinstance(item, exp.Alias)]
    same_name = [item.this for item in outputs if item.alias.lower() == column.name.lower()]
    if column.name.lower() not in offered:
        return bool(same_name)
    return all(isinstance(item, exp.Column) and item.name.lower() == column.name.lower() for item in same_name)


def _shown(item: exp.Expression, query: exp.Select, offered: _Offered) -> list[exp.Expression]:
    """Return an outer item under the name it had; a star as the columns it stands for."""
    if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and item.is_star):
        return [
            exp.alias_(offered[each.alias_or_name.lower()].copy(), each.alias_or_name, quoted=True)
            for each in query.expressions
        ]
    if isinstance(item, exp.Column):
        return [exp.alias_(offered[item.name.lower()].copy(), item.name, quoted=True)]
    return [item]


def _take_over(outer: exp.Select, query: exp.Select) -> None:
    for key in ("from_", "from", "joins"):
        if key in query.args or key in outer.args:
            outer.set(key, query.args.get(key))
    for key in ("with_", "with"):
        if outer.args.get(key):
            outer.set(key, None)
    where = query.args.get("where")
    if where is not None:
        outer.where(exp.paren(where.this, copy=False), copy=False)
