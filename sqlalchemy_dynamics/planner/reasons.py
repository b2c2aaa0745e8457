"""Why something is computed here: for every term of a residual that no service can be asked for, a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import islice

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Companion, Kind
from sqlalchemy_dynamics.planner.names import Sources, from_nodes
from sqlalchemy_dynamics.planner.parse import shown

__all__ = ["reasons"]

_MOST = 12
_NUMBERS = frozenset({"INTEGER", "BIGINT", "DECIMAL", "DOUBLE"})
_CLAUSES = {
    "having": "the service filters rows, not groups",
    "qualify": "the service has no window functions",
    "distinct": "the service has distinct rows of a few kinds of columns only, and without expressions",
}


def reasons(tree: exp.Expression, sources: Sources, merging: Set[int]) -> Iterator[tuple[str, str]]:
    """Yield (term, reason) for what a residual computes beside its conditions, the most telling ones.

    The SELECTs in `merging`, by id, only put together what the service has grouped.
    """
    return islice(dict(_all_reasons(tree, sources, merging)).items(), _MOST)


def _all_reasons(tree: exp.Expression, sources: Sources, merging: Set[int]) -> Iterator[tuple[str, str]]:
    for operation in tree.find_all(exp.SetOperation):
        yield type(operation).__name__.upper(), "the service answers one query at a time"
    for select in (each for each in tree.find_all(exp.Select) if id(each) not in merging):
        for join in select.args.get("joins") or ():
            name = join.this.alias_or_name
            yield f"JOIN {name}", "rows of several tables are put together here"
        for node in from_nodes(select):
            if isinstance(node, exp.Subquery) or sources.query_of(node) is not None:
                yield f"FROM {node.alias_or_name}", "the service answers for tables, not for queries inside of a query"
        yield from _of_rows(select)
        yield from _of_clauses(select, sources)
        for item in select.expressions:
            if not any(id(each) in merging for each in item.find_all(exp.Select)):
                yield from _of_item(item, sources)


def _of_rows(select: exp.Select) -> Iterator[tuple[str, str]]:
    where = select.args.get("where")
    for term in _terms(where.this) if where is not None else ():
        if term.find(exp.Func) is not None and term.find(exp.Column, exp.Select) is None:
            yield shown(term), "it is computed here, for every row"
    for node in from_nodes(select):
        if node.args.get("sample"):
            yield "TABLESAMPLE", "the service draws no samples"
    for item in select.expressions:
        star = item.this if isinstance(item, exp.Column) else item
        if isinstance(star, exp.Star) and any(star.args.values()):
            yield shown(item), "its columns are picked here"


def _of_clauses(select: exp.Select, sources: Sources) -> Iterator[tuple[str, str]]:
    group, order = select.args.get("group"), select.args.get("order")
    for key in group.expressions if group is not None else ():
        why = _ungrouped(_column(key, sources)) if isinstance(key, exp.Column) else _computed(key)
        if why:
            yield f"GROUP BY {shown(key)}", why
    for ordered in order.expressions if order is not None else ():
        why = _unsorted(ordered, _column(ordered.this, sources))
        if why:
            yield f"ORDER BY {shown(ordered.this)}", why
    for clause, why in _CLAUSES.items():
        if select.args.get(clause):
            yield clause.upper(), why
    if select.args.get("limit") and len(list(from_nodes(select))) > 1:
        yield "LIMIT", "which rows are first is known after the join"


def _column(node: exp.Expression, sources: Sources) -> Column | None:
    owned = sources.owner_of(node)
    return owned[1] if owned is not None else None


def _computed(node: exp.Expression) -> str:
    return "" if isinstance(node, exp.Literal) else "the service groups by columns only"


def _ungrouped(column: Column | None) -> str:
    if column is None:
        return ""
    if column.companion is Companion.TYPE or column.kind is Kind.MULTICHOICE:
        return "the service does not group by this column"
    if column.type.family.startswith(("TIMESTAMP", "DATE")):
        return "the service does not group by dates"
    return ""


def _unsorted(ordered: exp.Ordered, column: Column | None) -> str:
    if column is None:
        return "" if isinstance(ordered.this, (exp.Column, exp.Literal)) else "the service sorts by columns only"
    if column.companion is Companion.NAME and column.wire == column.base:
        return "the service sorts a choice by its value"
    if column.companion is Companion.TYPE or column.kind is Kind.MULTICHOICE:
        return "the service cannot sort by this column"
    if column.companion is None and column.kind is Kind.LOOKUP:
        return "the service sorts a lookup by the name of its row"
    if column.nullable and bool(ordered.args.get("nulls_first")) == bool(ordered.args.get("desc")):
        return "the service puts NULLs first ascending and last descending"
    return ""


def _of_item(item: exp.Expression, sources: Sources) -> Iterator[tuple[str, str]]:
    node = item.this if isinstance(item, exp.Alias) else item
    if isinstance(node, (exp.Column, exp.Star, exp.Literal, exp.Null, exp.Boolean)):
        return
    text = shown(node)
    if node.find(exp.Window):
        yield text, "the service has no window functions"
    elif node.find(exp.Select):
        yield text, "it is a query of its own"
    elif node.find(exp.AggFunc):
        for aggregate in node.find_all(exp.AggFunc):
            yield shown(aggregate), _unaggregated(aggregate, sources)
    else:
        yield text, "the service returns columns, it computes nothing"


def _unaggregated(node: exp.AggFunc, sources: Sources) -> str:
    if isinstance(node.this, exp.Distinct):
        return "the service does not count distinct values"
    if isinstance(node.parent, exp.Filter):
        return "the service's aggregates have no conditions of their own"
    if not isinstance(node, (exp.Count, exp.Sum, exp.Min, exp.Max, exp.Avg)):
        return "the service has COUNT, SUM, MIN, MAX and AVG only"
    column = _column(node.this, sources)
    if column is None and not isinstance(node.this, (exp.Star, exp.Literal)):
        return "the service aggregates columns only"
    if column is not None and isinstance(node, (exp.Min, exp.Max)) and column.type.family not in _NUMBERS:
        return "the service has MIN and MAX of numbers only"
    return _ungroupable(node.find_ancestor(exp.Select))


def _ungroupable(select: exp.Select | None) -> str:
    """Say why the service cannot be asked for the groups of a SELECT whose aggregates it has."""
    where = select.args.get("where") if select is not None else None
    if where is not None and any(term != exp.true() for term in _terms(where.this)):
        return "the service groups what its own conditions leave, and some are tested here"
    if select is not None and (
        len(list(from_nodes(select))) > 1 or isinstance(next(from_nodes(select), None), exp.Subquery)
    ):
        return "its rows are put together here"
    return "the groups, or other aggregates beside it, are not what the service has"


def _terms(condition: exp.Expression) -> list[exp.Expression]:
    return list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
