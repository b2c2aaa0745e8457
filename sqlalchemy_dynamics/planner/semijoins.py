"""Joins that only choose rows, said as EXISTS: what the service can be asked about one table.

`FROM contact c JOIN account a ON a.accountid = c.parentcustomerid WHERE a.city = 'Oslo'` needs no rows of account when
none of its columns is wanted: a key matches once at most. A LEFT JOIN without such columns changes nothing; one whose
rows must be missing is NOT EXISTS. Where repeated rows make no difference (DISTINCT, MIN, inside of EXISTS), children
go the same way. Done only where the condition can be said exactly about the table that stays; the user's statement is
left alone otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Companion, Kind, Table
from sqlalchemy_dynamics.planner.aggregates import aggregates_in
from sqlalchemy_dynamics.planner.implied import cannot_be_missing, is_odd
from sqlalchemy_dynamics.planner.names import Occurrence, from_nodes
from sqlalchemy_dynamics.planner.pushdown import Translator
from sqlalchemy_dynamics.planner.related import Linked, related

__all__ = ["without_semijoins"]

_ONCE = (exp.Min, exp.Max)
_KINDS = ("", "INNER", "CROSS", "OUTER")


def without_semijoins(tree: exp.Expression, translator: Translator) -> bool:
    """Take needless joins out of every SELECT of the tree; say whether any was."""
    found = False
    for select in reversed(list(tree.find_all(exp.Select))):
        if select.args.get("joins") and not select.args.get("laterals") and not is_odd(select):
            joined = _Joined(select, translator)
            while joined.step():
                found = True
    return found


@dataclass
class _Joined:
    """A SELECT over several tables, and what its joins are good for."""

    select: exp.Select
    translator: Translator

    def step(self) -> bool:
        """Take one join away, or make one an inner join; False when all must stay as they are."""
        self._turn()
        if _joins(self.select) and self._is_plain():
            return any(self._dropped(each) for each in self._tables())
        return False

    def _is_plain(self) -> bool:
        """Every join is inner or LEFT, by a condition of its own; `*` would show the columns of all tables."""
        joins = _joins(self.select)
        known = all(join.side in ("", "LEFT") and join.kind in _KINDS and not join.args.get("using") for join in joins)
        every = any(map(_is_star, self.select.expressions))
        return bool(known) and not self.select.find(exp.Columns) and (self._is_exists() or not every)

    def _turn(self) -> None:
        """`a RIGHT JOIN b` is `b LEFT JOIN a`, but for the columns of `*`."""
        joins = _joins(self.select)
        if len(joins) == 1 and joins[0].side == "RIGHT" and not any(map(_is_star, self.select.expressions)):
            start = self.select.args.get("from_") or self.select.args["from"]
            left, right = start.this, joins[0].this
            start.set("this", right)
            joins[0].set("this", left)
            joins[0].set("side", "LEFT")

    def _is_exists(self) -> bool:
        """In EXISTS nobody looks at what is selected, unless it makes a row of its own."""
        made = (item.find(exp.AggFunc, exp.Explode, exp.UDTF, exp.Anonymous) for item in self.select.expressions)
        return isinstance(self.select.parent, exp.Exists) and not any(made)

    def _tables(self) -> list[Occurrence]:
        by_node = {id(each.node): each for each in self.translator.sources.occurrences}
        found = [by_node[id(node)] for node in from_nodes(self.select) if id(node) in by_node]
        return [each for each in found if each.table.joined and not _is_decorated(each.node)]

    def _join_of(self, occurrence: Occurrence) -> exp.Join | None:
        parent = occurrence.node.parent
        return parent if isinstance(parent, exp.Join) else None

    def _dropped(self, table: Occurrence) -> bool:
        join = self._join_of(table)
        if self._named_by_lookup(table, join):
            return True
        if join is not None and join.side == "LEFT":
            return self._left_out(table, join) or self._missing(table, join) or self._made_inner(table, join)
        terms = [term for term in self._inner_terms() if self._mentions(term, table)]
        linked, other = self._linked(table, terms)
        if linked is None or other is None or self._is_wanted(table, terms):
            return False
        if linked.pair[0].name != table.table.primary_key and not self._may_repeat():
            return False
        return self._replaced(table, linked, other, terms, negated=False)

    def _named_by_lookup(self, table: Occurrence, join: exp.Join | None) -> bool:
        """Groups by the name of a looked-up row are groups by the lookup, which comes with that name."""
        if not self._is_grouped():
            return False
        left = join is not None and bool(join.side)
        terms = _terms(join.args.get("on")) if left and join is not None else self._inner_terms()
        if left and len(terms) > 1:
            return False
        terms = [term for term in terms if self._mentions(term, table)]
        inside = {id(column) for term in terms for column in term.find_all(exp.Column)}
        outside = (column for column in self.select.find_all(exp.Column) if id(column) not in inside)
        wanted = [column for column in outside if self._may_be_of(column, table)]
        linked, other = self._linked(table, terms) if wanted else (None, None)
        if linked is None or other is None:
            return False
        names = names_of(table.table, linked.pair, other.table, left)
        if any(each.name.lower() not in names for each in wanted):
            return False
        said = related(self.translator, linked, other)
        if said is None or not said.exact or any(self._stands_before(each, other) for each in wanted):
            return False
        for column in wanted:
            _rename(column, names[column.name.lower()], other)
        return True

    def _stands_before(self, column: exp.Column, other: Occurrence) -> bool:
        """Say whether a column stands in the ON of a join that comes before the one of another table."""
        joins, brings = _joins(self.select), self._join_of(other)
        around = column.find_ancestor(exp.Join, exp.Select)
        if brings is None or not any(each is around for each in joins):
            return False
        return [id(each) for each in joins].index(id(around)) < [id(each) for each in joins].index(id(brings))

    def _is_grouped(self) -> bool:
        select = self.select
        return bool(select.args.get("group") or aggregates_in(select))

    def _left_out(self, table: Occurrence, join: exp.Join) -> bool:
        """A LEFT JOIN whose columns nobody wants, and that repeats no row."""
        terms = _terms(join.args.get("on"))
        if self._is_wanted(table, terms):
            return False
        single = any(pair[0].name == table.table.primary_key for pair, _ in self._pairs(table, terms))
        if single or self._may_repeat():
            _remove(join)
            return True
        return False

    def _missing(self, table: Occurrence, join: exp.Join) -> bool:
        """`LEFT JOIN c ON … WHERE c.id IS NULL`: the rows without a partner."""
        terms = _terms(join.args.get("on"))
        linked, other = self._linked(table, terms)
        if linked is None or other is None:
            return False
        never_null = {table.table.primary_key, linked.pair[0].name}
        tests = [term for term in _terms(_where(self.select)) if self._is_missing(term, table, never_null)]
        if not tests or self._is_wanted(table, [*terms, *tests]):
            return False
        return self._replaced(table, linked, other, terms, negated=True, tests=tests)

    def _is_missing(self, term: exp.Expression, table: Occurrence, columns: set[str]) -> bool:
        if not isinstance(term, exp.Is) or term.args.get("negate") or not isinstance(term.expression, exp.Null):
            return False
        owned = self.translator.sources.owner_of(term.this)
        return owned is not None and owned[0] is table and owned[1].name in columns

    def _made_inner(self, table: Occurrence, join: exp.Join) -> bool:
        """A LEFT JOIN whose missing rows WHERE does away with is an inner one."""
        if not any(cannot_be_missing(term, self.translator, table) for term in self._inner_terms()):
            return False
        join.set("side", None)
        join.set("kind", None)
        return True

    def _inner_terms(self) -> list[exp.Expression]:
        """Return what every row must meet: WHERE, and the conditions of inner joins."""
        found = _terms(_where(self.select))
        for join in _joins(self.select):
            if not join.side:
                found += _terms(join.args.get("on"))
        return found

    def _linked(self, table: Occurrence, terms: list[exp.Expression]) -> tuple[Linked | None, Occurrence | None]:
        """Return how the terms tie this table to one other, when all else is about this table alone."""
        for term in terms:
            for pair, other in self._pairs(table, [term]):
                if other.table.joined and other.table.trusted and self._is_inner(other):
                    return Linked(table, pair, [each for each in terms if each is not term]), other
        return None, None

    def _pairs(
        self, table: Occurrence, terms: list[exp.Expression]
    ) -> Iterator[tuple[tuple[Column, Column], Occurrence]]:
        tables = self._tables()
        for term in terms:
            if isinstance(term, exp.EQ):
                one, two = (self.translator.sources.owner_of(side) for side in (term.this, term.expression))
                for inner, outer in ((one, two), (two, one)):
                    if inner and outer and inner[0] is table and outer[0] is not table and outer[0] in tables:
                        yield (inner[1], outer[1]), outer[0]

    def _is_inner(self, occurrence: Occurrence) -> bool:
        join = self._join_of(occurrence)
        return join is None or not join.side

    def _is_wanted(self, table: Occurrence, but: list[exp.Expression]) -> bool:
        """Say whether a column of the table is named anywhere but in those terms."""
        inside = {id(column) for term in but for column in term.find_all(exp.Column)}
        items = () if self._is_exists() else self.select.expressions
        shown = {id(column) for item in self.select.expressions for column in item.find_all(exp.Column)}
        skipped = inside | (set() if items else shown)
        columns = (column for column in self.select.find_all(exp.Column) if id(column) not in skipped)
        return any(self._may_be_of(column, table) for column in columns)

    def _mentions(self, term: exp.Expression, table: Occurrence) -> bool:
        return any(self._may_be_of(column, table) for column in term.find_all(exp.Column))

    def _may_be_of(self, column: exp.Column, table: Occurrence) -> bool:
        owned = self.translator.sources.owner(column)
        if owned is not None:
            return owned[0] is table
        if column.table:
            return bool(column.table.lower() == table.alias.lower())
        return column.name.lower() == table.alias.lower() or table.table.column(column.name) is not None

    def _may_repeat(self) -> bool:
        """Say whether it makes no difference how often a row is there."""
        select = self.select
        holder, distinct = select.parent, select.args.get("distinct")
        if self._is_exists() or (isinstance(holder, exp.Subquery) and isinstance(holder.parent, exp.In)):
            return not any(select.args.get(key) for key in ("limit", "offset", "group", "having", "qualify"))
        if select.find(exp.Window) or (isinstance(distinct, exp.Distinct) and distinct.args.get("on")):
            return False
        if any(
            _belongs(node, select) and not _counts_once(node) for node in select.find_all(exp.AggFunc, exp.Anonymous)
        ):
            return False
        return bool(distinct or select.args.get("group") or aggregates_in(select))

    def _replaced(
        self,
        table: Occurrence,
        linked: Linked,
        other: Occurrence,
        terms: list[exp.Expression],
        negated: bool,
        tests: Sequence[exp.Expression] = (),
    ) -> bool:
        """Put [NOT] EXISTS into WHERE for the join, and for `tests`, if that can be said exactly of the other table."""
        pushed = related(self.translator, linked, other, negated)
        if (pushed is None or not pushed.exact) and (negated or not self._is_between(table, other)):
            return False
        if self._join_of(table) is None and not _can_start_later(self.select):
            return False
        _take_out(self.select, [*terms, *tests])
        spared = self._removed(table)
        inside = exp.Select(expressions=[exp.Literal.number(1)]).from_(table.node, copy=False)
        inside.where(*terms, copy=False)
        exists: exp.Expression = exp.Exists(this=inside)
        if self._is_exists():
            self.select.set("expressions", [exp.Literal.number(1)])
        self.select.where(exp.Not(this=exists) if negated else exists, *spared, copy=False)
        return True

    def _is_between(self, table: Occurrence, other: Occurrence) -> bool:
        """Say whether the other is a table of links that leads further, and goes the same way next."""
        terms = [term for term in self._inner_terms() if self._mentions(term, other)]
        return bool(other.table.intersect and self._may_repeat() and not self._is_wanted(other, terms))

    def _removed(self, table: Occurrence) -> list[exp.Expression]:
        """Take a table out of FROM and return what is left of its ON, or of that of the table that starts now."""
        join = self._join_of(table)
        leaving = join if join is not None else self.select.args["joins"][0]
        spared = _terms(leaving.args.get("on"))
        _remove(leaving)
        if join is None:
            start = self.select.args.get("from_") or self.select.args["from"]
            start.set("this", leaving.this)
        return spared


def names_of(table: Table, pair: tuple[Column, Column], other: Table, left: bool) -> dict[str, str]:
    """Return the other table's columns that show this one's: its key and its name, by the lookup between them."""
    key, lookup = pair
    if key.name != table.primary_key or lookup.kind is not Kind.LOOKUP or (left and len(lookup.navigations) > 1):
        return {}
    companion = other.columns.get(f"{lookup.name}{Companion.NAME.value}")
    known = {key.name: lookup.name} if not left else {}
    if companion is not None and companion.base == lookup.name and table.primary_name:
        known[table.primary_name] = companion.name
    return known


def _rename(column: exp.Column, name: str, table: Occurrence) -> None:
    """Put another table's column where one stood; an output keeps its name."""
    new: exp.Expression = exp.column(exp.to_identifier(name, quoted=True), exp.to_identifier(table.alias, quoted=True))
    if isinstance(column.parent, exp.Select) and column.arg_key == "expressions":
        new = exp.alias_(new, column.name, quoted=True)
    column.replace(new)


def _is_star(item: exp.Expression) -> bool:
    return isinstance(item, exp.Star)


def _is_decorated(node: exp.Table) -> bool:
    alias = node.args.get("alias")
    return isinstance(alias, exp.TableAlias) and bool(alias.args.get("columns"))


def _joins(select: exp.Select) -> list[exp.Join]:
    return list(select.args.get("joins") or [])


def _where(select: exp.Select) -> exp.Expression | None:
    where = select.args.get("where")
    return where.this if where is not None else None


def _terms(condition: exp.Expression | None) -> list[exp.Expression]:
    if condition is None or (isinstance(condition, exp.Boolean) and condition.this):
        return []
    inner = condition.unnest()
    return [each for part in inner.flatten() for each in _terms(part)] if isinstance(inner, exp.And) else [condition]


def _take_out(select: exp.Select, terms: list[exp.Expression]) -> None:
    """Take terms out of WHERE and of the joins' conditions."""
    out = {id(term) for term in terms}
    for join in _joins(select):
        kept = [term for term in _terms(join.args.get("on")) if id(term) not in out]
        if join.args.get("on") is not None:
            join.set("on", exp.and_(*kept, copy=False) if kept else exp.true())
    kept = [term for term in _terms(_where(select)) if id(term) not in out]
    select.set("where", exp.Where(this=exp.and_(*kept, copy=False)) if kept else None)


def _remove(join: exp.Join) -> None:
    select = join.parent
    assert select is not None
    select.set("joins", [each for each in select.args["joins"] if each is not join])


def _can_start_later(select: exp.Select) -> bool:
    joins = _joins(select)
    return bool(joins) and not joins[0].side


def _belongs(node: exp.Expression, select: exp.Select) -> bool:
    return node.find_ancestor(exp.Where, exp.Join, exp.Select) is select


def _counts_once(node: exp.Expression) -> bool:
    return isinstance(node, _ONCE) or (isinstance(node, exp.Count) and isinstance(node.this, exp.Distinct))
