"""`SELECT … FROM (SELECT * FROM t WHERE …) d` read as `SELECT … FROM t d WHERE …`: what BI tools send for a dataset.

Done for derived tables and common table expressions that offer columns of one table under their own names, and compute
nothing. The user's statement stays as it is for everything the service cannot answer alone.
"""

from __future__ import annotations

from sqlglot import exp

from sqlalchemy_dynamics.planner.names import cte_of, from_nodes, is_transparent

__all__ = ["derived_query", "unwrapped"]

_KEPT = frozenset({"expressions", "from_", "from", "where"})


def unwrapped(tree: exp.Expression) -> exp.Expression:
    """Return the statement with its outermost derived tables taken away as far as they only select."""
    if not isinstance(tree, exp.Select):
        return tree
    tree = tree.copy()
    _unwrap(tree)
    return tree


def _unwrap(select: exp.Select) -> None:
    for node in from_nodes(select):
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select):
            _unwrap(node.this)
    inner = _inner(select)
    if inner is not None:
        _merge(select, inner)
        _unwrap(select)


def _inner(outer: exp.Select) -> exp.Select | None:
    """Return the query of the one thing `outer` reads, when it can be merged into it."""
    nodes = list(from_nodes(outer))
    if len(nodes) != 1 or outer.args.get("laterals"):
        return None
    node = nodes[0]
    query = derived_query(node, outer)
    if not isinstance(query, exp.Select) or any(value for key, value in query.args.items() if key not in _KEPT):
        return None
    reads = list(from_nodes(query))
    if len(reads) != 1 or len(list(query.find_all(exp.Select))) != 1 or not is_transparent(query):
        return None
    return query if _offers_enough(outer, query) else None


def derived_query(node: exp.Expression, outer: exp.Select) -> exp.Expression | None:
    """Return the query of the derived table, or of the lone common table expression, that a SELECT reads."""
    alias = node.args.get("alias")
    if isinstance(alias, exp.TableAlias) and alias.args.get("columns"):
        return None
    if isinstance(node, exp.Subquery):
        return None if any(node.args.get(key) for key in ("sample", "pivots", "joins")) else node.this
    cte = cte_of(node) if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier) else None
    clause = outer.args.get("with_") or outer.args.get("with")
    if cte is None or clause is None or len(clause.expressions) != 1 or clause.args.get("recursive"):
        return None
    names = [table.name.lower() for table in outer.find_all(exp.Table)]
    return cte.this if names.count(cte.alias.lower()) == 1 and not cte.args["alias"].args.get("columns") else None


def _offers_enough(outer: exp.Select, query: exp.Select) -> bool:
    """Every column the outer query names must be one that the inner one hands on under its own name."""
    star = any(isinstance(item, exp.Star) and not any(item.args.values()) for item in query.expressions)
    offered = {item.name.lower() for item in query.expressions if isinstance(item, exp.Column) and not item.is_star}
    offered |= {
        item.alias.lower()
        for item in query.expressions
        if isinstance(item, exp.Alias) and isinstance(item.this, exp.Column) and item.this.name == item.alias
    }
    if star:
        return len(query.expressions) == 1
    if len(offered) < len(query.expressions) or any(item.is_star for item in outer.expressions):
        return False
    inside = {id(column) for column in query.find_all(exp.Column)}
    return all(column.name.lower() in offered for column in outer.find_all(exp.Column) if id(column) not in inside)


def _merge(outer: exp.Select, query: exp.Select) -> None:
    node = next(from_nodes(outer))
    base = next(from_nodes(query))
    name = node.alias or node.name
    where = query.args.get("where")
    condition = where.this.copy() if where is not None else None
    for column in condition.find_all(exp.Column) if condition is not None else ():
        column.set("table", exp.to_identifier(name, quoted=True))
    new = base.copy()
    new.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
    node.replace(new)
    outer.set("with_" if "with_" in outer.args else "with", None)
    if condition is not None:
        outer.where(exp.paren(condition), copy=False)
