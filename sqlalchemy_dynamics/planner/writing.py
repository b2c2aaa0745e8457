"""INSERT, UPDATE and DELETE to a Write. A SELECT that the read side plans yields what the statement does not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from sqlglot import exp

from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.planner.change_plan import LEFT_OUT, Fetched, Fixed, Term, Write
from sqlalchemy_dynamics.planner.conflicts import conflict_of, is_default
from sqlalchemy_dynamics.planner.constants import Kinds
from sqlalchemy_dynamics.planner.lengths import shaping
from sqlalchemy_dynamics.planner.names import Lookup
from sqlalchemy_dynamics.planner.parse import parse, render
from sqlalchemy_dynamics.planner.plan import Plan
from sqlalchemy_dynamics.planner.reading import plan_select
from sqlalchemy_dynamics.planner.returning import returning_of
from sqlalchemy_dynamics.planner.target import Target
from sqlalchemy_dynamics.planner.terms import constants_alone, equal_to_parameters, keys_alone, term_of
from sqlalchemy_dynamics.planner.unfiltered import is_everything

__all__ = ["plan_write"]

_VERSION = "versionnumber"


def plan_write(
    tree: exp.Expression, lookup: Lookup, kinds: Kinds, values: Mapping[int | str, object], pushdown: bool = True
) -> Write:
    """Plan one write. Raises ProgrammingError for unknown or read-only names, NotSupportedError for other forms.

    `values` are the parameters: those of LIKE patterns shape the reading of UPDATE and DELETE.
    """
    return _Planner(tree.copy(), lookup, kinds, values, pushdown).plan()


class _Planner:
    def __init__(
        self, tree: exp.Expression, lookup: Lookup, kinds: Kinds, values: Mapping[int | str, object], pushdown: bool
    ) -> None:
        _take_columns_from_alias(tree)
        self._tree, self._lookup, self._kinds, self._values, self._pushdown = tree, lookup, kinds, values, pushdown
        self._target = Target.of(tree, lookup)
        self._table = self._target.table

    def plan(self) -> Write:
        if isinstance(self._tree, exp.Insert):
            return self._insert(self._tree)
        self._refuse_clauses("limit", "order", "cluster", "tables")
        return self._update(self._tree) if isinstance(self._tree, exp.Update) else self._delete(self._tree)

    def _insert(self, tree: exp.Insert) -> Write:
        self._refuse_clauses("overwrite", "ignore", "partition", "exists", "by_name")
        if tree.args.get("alternative"):
            raise NotSupportedError(f"INSERT OR {tree.args['alternative']} is not supported: use ON CONFLICT")
        columns = self._inserted(tree)
        conflict = conflict_of(tree.args.get("conflict"), self._table, columns, self._target.column, self._target.alias)
        returning = returning_of(self._tree, self._target)
        rows, source = self._value_rows(tree, columns, conflict is not None), None
        if rows is None:
            source = self._source(tree, columns)
            rows = (tuple(Fetched(position) for position in range(len(columns))),)
        alias = self._target.alias
        return Write("insert", self._table, columns, rows, source, returning=returning, conflict=conflict, alias=alias)

    def _inserted(self, tree: exp.Insert) -> tuple[Column, ...]:
        if tree.args.get("default"):
            return ()
        if not isinstance(tree.this, exp.Schema):
            raise ProgrammingError(f"name the columns: INSERT INTO {self._table.name} (name, …) VALUES (…)")
        columns = tuple(self._target.column(each.name) for each in tree.this.expressions)
        _refuse_twice(columns)
        return columns

    def _value_rows(
        self, tree: exp.Insert, columns: Sequence[Column], with_conflict: bool
    ) -> tuple[tuple[Term, ...], ...] | None:
        """The rows of VALUES when every value is a constant or a parameter, else None."""
        if tree.args.get("default"):
            return ((),)
        values = tree.expression
        if isinstance(values, exp.Subquery):
            values = values.this
        if not isinstance(values, exp.Values) or values.args.get("alias"):
            return None
        rows = []
        for row in values.expressions:
            items = row.expressions if isinstance(row, exp.Tuple) else [row]
            if len(items) != len(columns):
                raise ProgrammingError(f"{len(columns)} columns are named and {len(items)} values are given")
            rows.append([self._value(item, column, with_conflict) for item, column in zip(items, columns, strict=True)])
        if any(term is None for row in rows for term in row):
            return None
        return tuple(tuple(term for term in row if term is not None) for row in rows)

    def _value(self, node: exp.Expression, column: Column, with_conflict: bool) -> Term | None:
        """DEFAULT is left to the service; where it may become the value of a row that exists it is sent."""
        if is_default(node):
            return Fixed(column.default) if with_conflict else LEFT_OUT
        return term_of(node)

    def _source(self, tree: exp.Insert, columns: Sequence[Column]) -> Plan:
        query = tree.expression
        if isinstance(query, exp.Values):
            query = exp.select("*").from_(exp.alias_(_without_defaults(query, columns), "given", table=True))
        with_ = tree.args.get("with_") or tree.args.get("with")
        if with_ is not None:
            query = query.copy()
            query.set("with_" if "with_" in query.arg_types else "with", with_)
        return self._planned(query)

    def _update(self, tree: exp.Update) -> Write:
        if self._target.is_list:
            raise NotSupportedError(f"rows of {self._table.name} are links: delete them and insert others")
        columns, nodes = [], []
        for item in tree.expressions:
            if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column):
                raise NotSupportedError("SET takes column = value pairs only")
            columns.append(self._target.updated(item.this.name))
            nodes.append(item.expression)
        _refuse_twice(columns)
        terms = [
            Fixed(column.default) if is_default(node) else term_of(node)
            for node, column in zip(nodes, columns, strict=True)
        ]
        alone = None if self._more_tables() or None in terms else self._keys_alone()
        if alone is not None:
            row = tuple(term for term in terms if term is not None)
            return self._write("update", tuple(columns), (row,), keys=alone[0], version=alone[1])
        computed = [node for node, term in zip(nodes, terms, strict=True) if term is None]
        guarded = self._reads_itself(computed)
        version = [self._target.own(_VERSION)] if guarded else []
        source = self._reading([*computed, *version])
        positions = iter(range(1, len(computed) + 1))
        row = tuple(Fetched(next(positions)) if term is None else term for term in terms)
        guard = len(computed) + 1 if guarded else None
        found_by = () if computed else self._found_by(columns)
        return self._write("update", tuple(columns), (row,), source, (Fetched(0),), guard=guard, found_by=found_by)

    def _reads_itself(self, nodes: Sequence[exp.Expression]) -> bool:
        """Whether values are computed from what the row holds, in a table whose rows have versions."""
        names = {"", *self._target.names}
        columns = (column for node in nodes for column in node.find_all(exp.Column))
        own = any(each.table.lower() in names and self._table.column(each.name) for each in columns)
        return own and _VERSION in self._table.columns and self._table.kind != "Elastic"

    def _delete(self, tree: exp.Delete) -> Write:
        returning = returning_of(self._tree, self._target)
        alone = None if self._more_tables() or returning or self._target.is_list else self._keys_alone()
        if alone is not None:
            return self._write("delete", keys=alone[0], version=alone[1])
        linked = [self._target.own(name) for name in self._target.link_columns]
        wanted = [self._own_star(node) for node in tree.args["returning"].expressions] if returning else []
        source = self._reading([*linked, *wanted])
        returned = 1 + len(linked) if returning else None
        found_by = () if wanted or linked else self._found_by(())
        ends = () if returning else self._ends()
        return self._write("delete", (), (), source, (Fetched(0),), returned=returned, found_by=found_by, ends=ends)

    def _ends(self) -> tuple[Term, ...]:
        """What the WHERE of a DELETE of links wants both linked ids to be, when it says nothing else."""
        where = self._where_alone() if self._table.intersect else None
        if where is None:
            return ()
        return constants_alone(where, self._table, self._target.names, self._target.link_columns)

    def _where_alone(self) -> exp.Expression | None:
        """The condition, when nothing but the table itself decides it."""
        where = self._tree.args.get("where")
        if where is None or self._more_tables() or self._tree.args.get("with_") or self._tree.args.get("with"):
            return None
        return cast("exp.Expression", where.this)

    def _found_by(self, changed: Sequence[Column]) -> tuple[tuple[Column, int | str], ...]:
        where = self._where_alone()
        if where is None:
            return ()
        found = equal_to_parameters(where, self._table, self._target.names)
        names = {name for column in changed for name in (column.name, column.base)}
        return () if any(column.name in names for column, _ in found) else found

    def _own_star(self, node: exp.Expression) -> exp.Expression:
        """RETURNING * means the columns of the table itself, whatever else USING names."""
        if isinstance(node, exp.Star) and not any(node.args.values()):
            return exp.Column(this=exp.Star(), table=exp.to_identifier(self._target.alias, quoted=True))
        return node

    def _write(
        self,
        verb: str,
        columns: tuple[Column, ...] = (),
        rows: tuple[tuple[Term, ...], ...] = (),
        source: Plan | None = None,
        keys: tuple[Term, ...] = (),
        version: Term | None = None,
        returned: int | None = None,
        guard: int | None = None,
        found_by: tuple[tuple[Column, int | str], ...] = (),
        ends: tuple[Term, ...] = (),
    ) -> Write:
        filtered = not is_everything(self._tree.args.get("where"))
        returning = returning_of(self._tree, self._target)
        return Write(
            verb,
            self._table,
            columns,
            rows,
            source,
            keys,
            version,
            returning,
            filtered=filtered,
            returned=returned,
            guard=guard,
            found_by=found_by,
            ends=ends,
        )

    def _keys_alone(self) -> tuple[tuple[Term, ...], Term | None] | None:
        where = self._tree.args.get("where")
        return None if where is None else keys_alone(where.this, self._table, self._target.names)

    def _more_tables(self) -> list[exp.Expression]:
        start = self._tree.args.get("from_") or self._tree.args.get("from")
        using = self._tree.args.get("using") or []
        more = ([start.this] if start is not None else []) + list(using)
        return more + [join.this for join in (start.this.args.get("joins") or [])] if start is not None else more

    def _reading(self, wanted: Sequence[exp.Expression]) -> Plan:
        """SELECT key, … FROM table [, other tables] WHERE …: everything is read before the first row is changed."""
        select = self._target.select(*wanted)
        for other in self._more_tables():
            select = select.join(other.copy(), join_type="cross")
        where = self._tree.args.get("where")
        if where is not None:
            select = select.where(where.this.copy())
        with_ = self._tree.args.get("with_") or self._tree.args.get("with")
        if with_ is not None:
            select.set("with_" if "with_" in select.arg_types else "with", with_.copy())
        return self._planned(select)

    def _planned(self, query: exp.Expression) -> Plan:
        statement = parse(render(query))
        assert statement.tree is not None
        pinned = shaping(statement.pinned, self._values)
        return plan_select(statement.tree, self._lookup, self._kinds, pinned, self._pushdown)

    def _refuse_clauses(self, *names: str) -> None:
        found = next((name for name in names if self._tree.args.get(name)), None)
        if found:
            raise NotSupportedError(f"{type(self._tree).__name__.upper()} with {found.upper()} is not supported")


def _refuse_twice(columns: Sequence[Column]) -> None:
    twice = next((each.name for n, each in enumerate(columns) if each in columns[:n]), None)
    if twice:
        raise ProgrammingError(f"column {twice} is named twice")


def _take_columns_from_alias(tree: exp.Expression) -> None:
    """``INSERT INTO account AS a (name)``: sqlglot before 30 takes the columns for those of the alias."""
    alias = tree.this.args.get("alias") if isinstance(tree, exp.Insert) and isinstance(tree.this, exp.Table) else None
    if alias is not None and alias.columns:
        columns = alias.columns
        alias.set("columns", None)
        tree.set("this", exp.Schema(this=tree.this, expressions=columns))


def _without_defaults(values: exp.Values, columns: Sequence[Column]) -> exp.Values:
    """VALUES with what DEFAULT means written out; inserts leave NULL to the service."""
    values = values.copy()
    for row in values.expressions:
        for item, column in zip(row.expressions, columns, strict=False):
            if is_default(item):
                item.replace(exp.convert(column.default))
    return values
