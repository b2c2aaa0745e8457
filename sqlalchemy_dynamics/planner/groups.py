"""GROUP BY and aggregates through `$apply`: the service groups, and what is left merges its groups.

Every query's rows are partial groups, merged by the residual SQL (SUM of sums, SUM of counts, MIN of minima), so that
several requests add up. Nothing is asked whose answer is not documented: the values of a column are aggregated under
`column ne null`, because a sum over nothing comes back as 0; money is grouped by currency, because the service adds up
currencies differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from sqlalchemy_dynamics.edm import HUGEINT
from sqlalchemy_dynamics.metadata.model import Column, Kind
from sqlalchemy_dynamics.planner.aggregates import Asked, aggregates_in, asked_of, distinct_of, is_over_window
from sqlalchemy_dynamics.planner.group_keys import groupable, is_finer, keys_of
from sqlalchemy_dynamics.planner.measures import Measures
from sqlalchemy_dynamics.planner.plan import Groups, Limit, Output, Rows, Scan
from sqlalchemy_dynamics.planner.shape import Shape
from sqlalchemy_dynamics.planner.spoken import title

__all__ = ["Grouping", "grouping_by", "grouping_of"]

_MOST_QUERIES = 8


@dataclass
class Grouping:
    """The service's part of a grouped statement, and the statement's aggregates as merges of its measures."""

    shape: Shape
    keys: dict[str, Column]
    hidden: dict[str, Column] = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)
    asked: dict[int, Asked] = field(default_factory=dict)
    distinct: dict[str, Column] = field(default_factory=dict)

    @property
    def groups(self) -> Groups:
        """The requests: one for the groups and their sizes, one more for whatever is aggregated of fewer rows."""
        paths = (self.shape.paths.get(each.name, (each.wire,)) for each in self.all_keys)
        queries = tuple(self.measures.queries(bool(self.keys or self.distinct)))
        return Groups(self.all_keys, tuple(dict.fromkeys(paths)), queries, self.shape.left)

    @property
    def all_keys(self) -> tuple[Column, ...]:
        """The keys of the statement, what is counted by values, and the currency when money is added up."""
        return tuple({**self.keys, **self.distinct, **self.hidden}.values())

    @property
    def scan(self) -> Scan:
        """The scan that fetches the groups."""
        shape = self.shape
        return Scan(1, shape.occurrence.table, self.all_keys, shape.filter, groups=self.groups)

    def rows(self) -> Rows | None:
        """Return the plan that needs no merging: one request, keys and measures as they come."""
        select, groups = self.shape.select, self.groups
        several = len(groups.queries) > 1 or groups.left is not None or is_finer(self.shape)
        if several or any(select.args.get(key) for key in ("order", "having", "limit", "offset")):
            return None
        outputs = [self._output(item.node, item.name) for item in self.shape.items]
        if any(output is None for output in outputs) or self.hidden or self.distinct:
            return None
        return Rows(self.scan, tuple(output for output in outputs if output is not None), Limit())

    def _output(self, node: exp.Expression, name: str) -> Output | None:
        column = self.shape.column(node)
        if column is not None:
            return Output(name, column.type, list(self.keys).index(column.name), column.nullable)
        asked = self.asked.get(id(node))
        if asked is None or not asked.is_plain:
            return None
        measure = self.groups.measures[self.measures.position(asked)]
        position = len(self.keys) + self.measures.position(asked)
        return Output(name or title(node), measure.type, position, asked.method != "count")

    def merged(self) -> exp.Expression:
        """Return the statement with every aggregate replaced by the merge of its measures."""
        tree = self.shape.select.copy()
        for node, original in zip(aggregates_in(tree), aggregates_in(self.shape.select), strict=True):
            node.replace(self.merge(original))
        return tree

    def merge(self, node: exp.Expression) -> exp.Expression:
        """Return an aggregate of the statement as the merge of its measures; of DISTINCT values it stays as it is."""
        asked = self.asked.get(id(node))
        merged = node.copy() if asked is None else self.measures.merged(asked)
        counted = node.this if isinstance(node, exp.Filter) else node
        return exp.cast(merged, HUGEINT.sql) if isinstance(counted, exp.CountIf) else merged


def grouping_of(shape: Shape, ties: Sequence[Column] = ()) -> Grouping | None:
    """Return how the service groups this statement, None when it cannot. `ties` are further keys."""
    keys = keys_of(shape)
    if not all(groupable(column, shape.occurrence.table) for column in ties):
        return None
    aggregates = aggregates_in(shape.select)
    distinct = bool(shape.select.args.get("distinct"))
    if keys is None or not _is_known(shape, keys) or (distinct and (aggregates or shape.select.args.get("group"))):
        return None
    if not aggregates and not keys:
        return None
    return grouping_by(shape, keys, aggregates, ties)


def grouping_by(
    shape: Shape, keys: dict[str, Column], aggregates: Sequence[exp.Expression], ties: Sequence[Column] = ()
) -> Grouping | None:
    """Return the groups by `keys` from which aggregates are merged, None when the service has not all of these."""
    grouping = Grouping(shape, keys)
    for node in aggregates:
        distinct, asked = distinct_of(shape, node), asked_of(shape, node)
        if distinct is not None:
            grouping.distinct[distinct.name] = distinct
        elif asked is not None:
            grouping.asked[id(node)] = asked
            grouping.measures.add(asked)
        else:
            return None
    grouping.hidden.update({column.name: column for column in ties})
    if shape.left is not None:
        grouping.measures.count_rows()
    _add_currency(grouping)
    _add_values(grouping)
    most = _MOST_QUERIES if shape.left is None else _MOST_QUERIES // 2
    return grouping if len(grouping.groups.queries) <= most else None


def _is_known(shape: Shape, keys: dict[str, Column]) -> bool:
    """Every column outside the aggregates must be a key, and every function must be known not to aggregate."""
    if any(node.find_ancestor(exp.AggFunc, exp.Where) is None for node in shape.select.find_all(exp.Anonymous)):
        return False
    names = {item.name.lower() for item in shape.items}
    where = shape.select.args.get("where")
    for node in shape.select.find_all(exp.Column):
        if _is_aggregated(node) or (where is not None and node.find_ancestor(exp.Where)):
            continue
        column = shape.column(node)
        if column is None and not node.table and node.name.lower() in names and _may_be_output(node):
            continue
        if column is None or column.name not in keys:
            return False
    return True


def _is_aggregated(node: exp.Expression) -> bool:
    above = node.find_ancestor(exp.AggFunc, exp.Filter)
    while above is not None and is_over_window(above):
        above = above.find_ancestor(exp.AggFunc, exp.Filter)
    return above is not None


def _may_be_output(node: exp.Expression) -> bool:
    return node.find_ancestor(exp.Group, exp.Order, exp.Having) is not None


def _add_currency(grouping: Grouping) -> None:
    currency = grouping.shape.occurrence.table.columns.get("transactioncurrencyid")
    money = any(m.column is not None and m.column.kind is Kind.MONEY for m in grouping.measures)
    if money and currency is not None:
        grouping.hidden[currency.name] = currency


def _add_values(grouping: Grouping) -> None:
    """Labels and names are grouped by their values; several of these may be called the same."""
    for column in (*grouping.keys.values(), *grouping.distinct.values()):
        if column.companion is not None:
            grouping.hidden[column.base] = grouping.shape.occurrence.table.columns[column.base]
