"""Groups below a join: of a table that is joined with queries of other kinds, and whose rows are only aggregated.

`SELECT t.city, sum(t.n) FROM account t JOIN (SELECT city, … LIMIT 10) d ON t.city = d.city GROUP BY t.city` adds up the
groups of accounts by city, each as often as the join repeats its rows. BI tools limit the series of a chart like this.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.filters import Both, Filter
from sqlalchemy_dynamics.planner.aggregates import aggregates_in
from sqlalchemy_dynamics.planner.group_keys import groupable, is_by_the_rule
from sqlalchemy_dynamics.planner.groups import grouping_by
from sqlalchemy_dynamics.planner.names import Occurrence
from sqlalchemy_dynamics.planner.plan import Scan
from sqlalchemy_dynamics.planner.pushdown import Translator
from sqlalchemy_dynamics.planner.shape import Shape

__all__ = ["groups_below"]

_INNER = ("", "INNER", "CROSS")
_OTHERWISE = (exp.Window, exp.Columns, exp.Unnest, exp.Lateral, exp.Anonymous)


def groups_below(select: exp.Select, occurrence: Occurrence, translator: Translator) -> Scan | None:
    """Return the groups to read of the one table of a SELECT, and make it one that merges them; None if it cannot."""
    below = _Below(select, occurrence, translator)
    return below.scan() if below.is_able() else None


@dataclass
class _Below:
    """A SELECT over one table and derived tables."""

    select: exp.Select
    occurrence: Occurrence
    translator: Translator

    def is_able(self) -> bool:
        """Say whether every row of the table is repeated by the joins, or left out, but never missing."""
        joins = self.select.args.get("joins") or []
        known = all(join.side in ("", "LEFT") and join.kind in _INNER for join in joins)
        known = known and not any(join.args.get(key) for join in joins for key in ("using", "method"))
        own = next((join for join in joins if join.this is self.occurrence.node), None)
        plain = not (own is not None and own.side) and self.occurrence.table.trusted
        starred = any(item.is_star for item in self.select.expressions)
        return known and plain and not starred and not any(map(self._is_here, self.select.find_all(*_OTHERWISE)))

    def scan(self) -> Scan | None:
        """Return the scan of the groups."""
        said, rest = self._conditions()
        inside = {id(column) for term in rest for column in term.find_all(exp.Column)}
        keys = self._keys(inside)
        if keys is None or not keys or any(column.type.family == "UUID" for column in keys.values()):
            return None
        shape = Shape(self.select, self.occurrence, self.translator, said, ())
        aggregates = aggregates_in(self.select)
        grouping = grouping_by(shape, keys, aggregates)
        if grouping is None:
            return None
        for node in aggregates:
            node.replace(grouping.merge(node))
        self.select.set("where", exp.Where(this=exp.and_(*rest, copy=False)) if rest else None)
        return replace(grouping.scan, number=self.occurrence.number)

    def _is_here(self, node: exp.Expression) -> bool:
        return bool(node.find_ancestor(exp.Select) is self.select)

    def _conditions(self) -> tuple[Filter, list[exp.Expression]]:
        """Return what WHERE says of the table exactly, and its other terms."""
        where = self.select.args.get("where")
        terms = list(where.this.flatten()) if where is not None and isinstance(where.this, exp.And) else []
        terms = terms or ([where.this] if where is not None else [])
        said: list[Filter] = []
        rest: list[exp.Expression] = []
        for term in terms:
            pushed = self.translator.translate(term, self.occurrence)
            if pushed is not None and pushed.exact:
                said.append(pushed.filter)
            else:
                rest.append(term)
        return Both(tuple(said)), rest

    def _keys(self, inside: set[int]) -> dict[str, Column] | None:
        """Return the table's columns that are named outside of aggregates and of what goes down."""
        keys: dict[str, Column] = {}
        for node in self._columns(inside):
            owned = self.translator.sources.owner(node)
            if owned is None and not self._is_of_others(node):
                return None
            if owned is None or owned[0] is not self.occurrence:
                continue
            able = self._is_here(node) and groupable(owned[1], self.occurrence.table)
            if not able or not is_by_the_rule(node, owned[1], self.select):
                return None
            keys[owned[1].name] = owned[1]
        return keys if self._aggregates_own() else None

    def _columns(self, inside: set[int]) -> Iterator[exp.Column]:
        where = self.select.args.get("where")
        for node in self.select.find_all(exp.Column):
            aggregated = (
                self._is_here(node) and node.find_ancestor(exp.AggFunc, exp.Filter, exp.Select) is not self.select
            )
            pushed = where is not None and id(node) not in inside and _is_below(node, where)
            if not aggregated and not pushed:
                yield node

    def _is_of_others(self, node: exp.Column) -> bool:
        """Say whether a name that is no base column is surely none of the table's."""
        if node.table:
            return bool(node.table.lower() != self.occurrence.alias.lower())
        return self.occurrence.table.column(node.name) is None

    def _aggregates_own(self) -> bool:
        """Say whether nothing is aggregated but the table's own columns."""
        inside = (each for node in aggregates_in(self.select) for each in node.find_all(exp.Column))
        owners = (self.translator.sources.owner(each) for each in inside)
        return all(owned is not None and owned[0] is self.occurrence for owned in owners)


def _is_below(node: exp.Expression, above: exp.Expression) -> bool:
    found: exp.Expression | None = node
    while found is not None and found is not above:
        found = found.parent
    return found is above
