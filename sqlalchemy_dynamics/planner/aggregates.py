"""The aggregates of a statement as the service can be asked for them: of a column or of rows, under a condition.

`count(*) FILTER (WHERE c)` and `sum(CASE WHEN c THEN x END)` are aggregates of the rows of which `c` is true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Kind
from sqlalchemy_dynamics.odata.binding import simplify
from sqlalchemy_dynamics.odata.filters import Both, Filter
from sqlalchemy_dynamics.planner.group_keys import groupable
from sqlalchemy_dynamics.planner.shape import Shape

__all__ = ["Asked", "aggregates_in", "asked_of", "distinct_of", "is_over_window"]

_METHODS: dict[type[exp.Expression], str] = {
    exp.Count: "count",
    exp.CountIf: "count",
    exp.Sum: "sum",
    exp.Min: "min",
    exp.Max: "max",
    exp.Avg: "average",
}
_AROUND = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls)
_UNCOUNTED = (Kind.FILE, Kind.FILE_NAME, Kind.IMAGE, Kind.MULTICHOICE, Kind.ENTITY_NAME)
_NUMBERS = frozenset({"INTEGER", "BIGINT", "DECIMAL", "DOUBLE"})


@dataclass(frozen=True)
class Asked:
    """`method` (count, sum, min, max or average) over `column` of the rows that meet `condition`.

    Without a column rows are counted, or ones added up. With `zeros`, each row that does not meet it is a 0.
    """

    method: str
    column: Column | None
    condition: Filter | None = None
    zeros: bool = False

    @property
    def is_plain(self) -> bool:
        """Say whether the service's answer for all rows is the aggregate itself."""
        counted = self.method == "count" or self.column is not None
        return self.condition is None and self.method != "average" and counted


def aggregates_in(select: exp.Expression) -> list[exp.Expression]:
    """Return the aggregates of a SELECT, each with its FILTER, in text order; not those of queries inside of it.

    What is computed OVER a window is none: it is computed from the groups.
    """
    found = (each for each in select.find_all(exp.AggFunc, bfs=False) if each.find_ancestor(exp.Select) is select)
    return [each.parent if isinstance(each.parent, exp.Filter) else each for each in found if not is_over_window(each)]


def is_over_window(node: exp.Expression) -> bool:
    """Say whether a function has an OVER clause."""
    while isinstance(node.parent, _AROUND) and node.parent.this is node:
        node = node.parent
    return isinstance(node.parent, exp.Window) and node.parent.this is node


def asked_of(shape: Shape, node: exp.Expression) -> Asked | None:
    """Return an aggregate as it can be asked for, None when the service has no such aggregate."""
    inner = node.this if isinstance(node, exp.Filter) else node
    method = _METHODS.get(type(inner))
    if method is None or inner.args.get("expressions") or isinstance(node.parent, exp.WithinGroup):
        return None
    chosen = _chosen(inner)
    filtered = [node.expression.this] if isinstance(node, exp.Filter) else []
    if chosen is None:
        return _of(shape, method, inner, None, filtered)
    condition, value, zeros = chosen
    if (zeros and (filtered or method != "sum")) or value is None:
        return None
    return _of(shape, method, inner, value, [*filtered, condition], zeros)


def distinct_of(shape: Shape, node: exp.Expression) -> Column | None:
    """Return the column of which an aggregate takes each value once: it is the same over groups by that column."""
    distinct = node.this if type(node) in _METHODS and not node.args.get("expressions") else None
    if not isinstance(distinct, exp.Distinct) or len(distinct.expressions) != 1:
        return None
    column = shape.column(distinct.expressions[0])
    return column if column is not None and groupable(column, shape.occurrence.table) else None


def _chosen(inner: exp.Expression) -> tuple[exp.Expression, exp.Expression | None, bool] | None:
    """Return (condition, value under it, whether it is 0 otherwise) of an aggregated CASE; no value: it says more."""
    if isinstance(inner, exp.CountIf):
        return inner.this, exp.Literal.number(1), False
    case = inner.this.unnest() if isinstance(inner.this, exp.Expression) else None
    if isinstance(case, exp.If):
        branches, default = [case], case.args.get("false")
    elif isinstance(case, exp.Case):
        branches, default = case.args.get("ifs") or [], case.args.get("default")
    else:
        return None
    zeros = isinstance(default, exp.Literal) and default.this == "0" and not default.is_string
    more = len(branches) != 1 or (case.this is not None and isinstance(case, exp.Case))
    if more or not (zeros or default is None or isinstance(default, exp.Null)):
        return exp.true(), None, False
    return branches[0].this, branches[0].args["true"], zeros


def _of(
    shape: Shape,
    method: str,
    inner: exp.Expression,
    value: exp.Expression | None,
    conditions: list[exp.Expression],
    zeros: bool = False,
) -> Asked | None:
    said = _said(shape, conditions)
    argument = inner.this if value is None else value
    if conditions and said is None:
        return None
    if _counts_rows(shape, method, argument) or (method == "sum" and _is_one(argument)):
        return Asked(method, None, said, zeros)
    column = shape.column(argument) if isinstance(argument, exp.Expression) else None
    if column is None or column.companion is not None or column.name in shape.paths:
        return None
    able = column.kind not in _UNCOUNTED if method == "count" else _is_number(column)
    return Asked(method, column, said, zeros) if able else None


def _said(shape: Shape, conditions: list[exp.Expression]) -> Filter | None:
    """Return the conditions as one filter, None unless exactly."""
    terms = list(_pushed(shape, conditions))
    return simplify(Both(tuple(terms))) if conditions and len(terms) == len(conditions) else None


def _pushed(shape: Shape, conditions: list[exp.Expression]) -> Iterator[Filter]:
    for condition in conditions:
        columns = [shape.column(each) for each in condition.find_all(exp.Column)]
        known = all(each is not None and each.name not in shape.paths for each in columns)
        pushed = shape.translator.translate(condition, shape.occurrence) if known else None
        if pushed is not None and pushed.exact:
            yield pushed.filter


def _counts_rows(shape: Shape, method: str, argument: object) -> bool:
    """COUNT of everything, of a column that always has a value, or of DISTINCT keys."""
    if method != "count":
        return False
    if argument is None or isinstance(argument, (exp.Star, exp.Literal)):
        return True
    if isinstance(argument, exp.Distinct):
        columns = [shape.column(each) for each in argument.expressions]
        return [column and column.name for column in columns] == [shape.occurrence.table.primary_key]
    column = shape.column(argument) if isinstance(argument, exp.Expression) else None
    return column is not None and not column.nullable and column.companion is None and column.name not in shape.paths


def _is_one(argument: object) -> bool:
    return isinstance(argument, exp.Literal) and not argument.is_string and argument.this == "1"


def _is_number(column: Column) -> bool:
    return column.type.family in _NUMBERS and column.kind in (Kind.VALUE, Kind.MONEY)
