"""Queries inside of a query that the service groups: derived tables, branches of a UNION, subqueries that give a value.

Each is read as groups of its own, and merged where it stands. Their conditions go down with them. One that is asked for
every row of an outer query (`WHERE c.parentid = a.id`) is grouped by the column that ties it as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.planner.aggregates import aggregates_in
from sqlalchemy_dynamics.planner.below_joins import groups_below
from sqlalchemy_dynamics.planner.extremes import extremes_of
from sqlalchemy_dynamics.planner.groups import grouping_of
from sqlalchemy_dynamics.planner.names import Occurrence
from sqlalchemy_dynamics.planner.plan import Scan
from sqlalchemy_dynamics.planner.pushdown import Translator
from sqlalchemy_dynamics.planner.shape import Shape, shape_of

__all__ = ["Depth", "Parts", "grouped_parts"]


class Depth(IntEnum):
    """Which parts of a statement may be read as groups: none, those over one table, those of joined tables as well."""

    NONE = 0
    ALONE = 1
    JOINED = 2


@dataclass
class Parts:
    """The scans that are read as groups, by number, the SELECTs that merge them, by id, and what else to try."""

    scans: dict[int, Scan] = field(default_factory=dict)
    merging: set[int] = field(default_factory=set)
    less: Depth = Depth.NONE


def grouped_parts(tree: exp.Expression, occurrences: list[Occurrence], translator: Translator, depth: Depth) -> Parts:
    """Make the SELECTs of a statement merge groups where they can be read as such."""
    parts = Parts()
    if depth is Depth.NONE:
        return parts
    for select in tree.find_all(exp.Select):
        inside = [each for each in occurrences if each.node.find_ancestor(exp.Select) is select]
        if len(inside) != 1 or not _is_named(select):
            continue
        joined = bool(select.args.get("joins"))
        if joined and depth is Depth.JOINED and _is_grouped(select):
            scan = groups_below(select, inside[0], translator)
        else:
            scan = None if joined or select is tree else _scan_of(_Part(select, inside[0], translator))
        if scan is not None:
            parts.scans[inside[0].number] = replace(scan, number=inside[0].number)
            parts.merging.add(id(select))
            parts.less = Depth.ALONE if joined else parts.less
    return parts


def _scan_of(part: _Part) -> Scan | None:
    if _is_grouped(part.select):
        return part.scan()
    return part.distinct_scan() if _is_once(part.select) else None


def _is_grouped(select: exp.Select) -> bool:
    return bool(aggregates_in(select) or select.args.get("group") or select.args.get("distinct"))


def _is_once(select: exp.Select) -> bool:
    """Say whether it is a branch of a UNION, EXCEPT or INTERSECT that keeps each row once."""
    above = select.parent
    return isinstance(above, exp.SetOperation) and bool(above.args.get("distinct"))


def _is_named(select: exp.Select) -> bool:
    """Merging changes what an aggregate is called, which a reader of a derived table could see."""
    above = select.parent
    while isinstance(above, exp.SetOperation):
        above = above.parent
    read = isinstance(above, exp.CTE) or (
        isinstance(above, exp.Subquery) and isinstance(above.parent, (exp.From, exp.Join))
    )
    return not read or all(isinstance(item, (exp.Alias, exp.Column)) for item in select.expressions)


@dataclass
class _Part:
    """One SELECT over one table, inside of a statement."""

    select: exp.Select
    occurrence: Occurrence
    translator: Translator

    def scan(self) -> Scan | None:
        """Return the groups to read, and make the SELECT one that merges them; None when that cannot be."""
        where = self.select.args.get("where")
        terms = list(where.this.flatten()) if where is not None and isinstance(where.this, exp.And) else []
        terms = terms or ([where.this] if where is not None else [])
        ties = {id(term): column for term in terms for column in self._tie(term)}
        self._set_where([term for term in terms if id(term) not in ties])
        shape = shape_of(self.select, [self.occurrence], self.translator)
        ours = shape is not None and self._is_ours(shape)
        scan = self._merged(shape, list(ties.values())) if shape is not None and ours else None
        self._set_where(terms if scan is None else [term for term in terms if id(term) in ties])
        return scan

    def distinct_scan(self) -> Scan | None:
        """Return the groups of a query whose rows count once, whatever it says."""
        self.select.set("distinct", exp.Distinct())
        scan = self.scan()
        if scan is None:
            self.select.set("distinct", None)
        return scan

    def _set_where(self, terms: list[exp.Expression]) -> None:
        self.select.set("where", exp.Where(this=exp.and_(*terms, copy=False)) if terms else None)

    def _tie(self, term: exp.Expression) -> Iterator[Column]:
        """Yield our column of `ours = theirs`, theirs being of a query further out."""
        if not isinstance(term, exp.EQ):
            return
        for one, two in ((term.this, term.expression), (term.expression, term.this)):
            owned, other = self.translator.sources.owner_of(one), self.translator.sources.owner_of(two)
            if owned and other and owned[0] is self.occurrence and other[0] is not self.occurrence:
                yield owned[1]

    def _is_ours(self, shape: Shape) -> bool:
        for column in self.select.find_all(exp.Column):
            owned = shape.sources.owner(column)
            if owned is not None and owned[0] is not self.occurrence and column.find_ancestor(exp.Where) is None:
                return False
        return True

    def _merged(self, shape: Shape, ties: list[Column]) -> Scan | None:
        extremes, grouping = extremes_of(shape), grouping_of(shape, ties)
        if grouping is None:
            return None if ties else extremes
        originals = aggregates_in(self.select)
        merged = [grouping.merge(node) for node in originals]
        for node, replacement in zip(originals, merged, strict=True):
            node.replace(replacement)
        return grouping.scan
