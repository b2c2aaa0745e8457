"""Which base tables a statement reads, and which table a column name belongs to."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.metadata.model import Column, Table

__all__ = ["Lookup", "Occurrence", "Source", "Sources", "find_occurrences"]

Lookup = Callable[[str], Table | None]

_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "generateseries", "explodinggenerateseries"})
_SELF_SCHEMAS = frozenset({"", "main", "dbo"})


@dataclass(eq=False)
class Occurrence:
    """One mention of a base table in FROM. `alias` is how columns are qualified; `number` counts from 1."""

    number: int
    node: exp.Table
    table: Table
    alias: str

    @property
    def view(self) -> str:
        """The name of the view that stands for it in the residual SQL."""
        return f"scan_{self.number}"


@dataclass(frozen=True)
class Source:
    """One entry of a FROM clause: its alias, and its base table; without one, its column names where known."""

    alias: str
    occurrence: Occurrence | None = None
    columns: frozenset[str] | None = None

    def has(self, name: str) -> bool | None:
        """Say whether it has that column; None when its columns are unknown."""
        if self.occurrence is not None:
            return self.occurrence.table.column(name) is not None
        return None if self.columns is None else name.lower() in self.columns


def find_occurrences(tree: exp.Expression, lookup: Lookup) -> list[Occurrence]:
    """Return every base table mention in text order. Raises ProgrammingError for an unknown table."""
    found: list[Occurrence] = []
    for node in tree.find_all(exp.Table, bfs=False):
        if not isinstance(node.this, exp.Identifier):
            _refuse_function(node)
        elif not _is_cte(node):
            table = _resolve(node, lookup)
            found.append(Occurrence(len(found) + 1, node, table, node.alias or node.name))
    return found


def _resolve(node: exp.Table, lookup: Lookup) -> Table:
    schema = node.text("db").lower()
    table = lookup(node.name) if schema in _SELF_SCHEMAS and not node.text("catalog") else None
    if table is None:
        raise ProgrammingError(f"no table named {node.sql()}: use a logical name such as account (`dynamics tables`)")
    return table


def _refuse_function(node: exp.Table) -> None:
    function = node.this
    name = function.name if isinstance(function, exp.Anonymous) else function.key
    if name.lower() not in _TABLE_FUNCTIONS:
        raise ProgrammingError(f"the table function {name} is not available: only tables of the organisation are")


def _is_cte(node: exp.Table) -> bool:
    """Walk up: a common table expression sees only earlier ones, and itself when recursive."""
    if node.text("db"):
        return False
    inside: exp.Expression = node
    name = node.name.lower()
    while inside.parent is not None:
        inside, child = inside.parent, inside
        clause = inside.args.get("with_") or inside.args.get("with")
        if isinstance(clause, exp.With) and clause is not child and name in _names(clause.expressions):
            return True
        if isinstance(inside, exp.With) and isinstance(child, exp.CTE) and name in _visible(inside, child):
            return True
    return False


def _names(ctes: Iterable[exp.CTE]) -> set[str]:
    return {cte.alias.lower() for cte in ctes}


def _visible(clause: exp.With, child: exp.CTE) -> set[str]:
    ctes = clause.expressions
    position = next(number for number, cte in enumerate(ctes) if cte is child)
    return _names(ctes[: position + (1 if clause.args.get("recursive") else 0)])


@dataclass
class Sources:
    """The name spaces of a statement: for every SELECT, its FROM entries."""

    occurrences: list[Occurrence]
    _by_node: dict[int, Occurrence] = field(init=False)
    _cache: dict[int, list[Source]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_node = {id(occurrence.node): occurrence for occurrence in self.occurrences}

    def of(self, select: exp.Select) -> list[Source]:
        """Return the FROM entries of that SELECT, in text order."""
        if id(select) not in self._cache:
            self._cache[id(select)] = [self._source(node) for node in from_nodes(select)]
        return self._cache[id(select)]

    def _source(self, node: exp.Expression) -> Source:
        occurrence = self._by_node.get(id(node))
        if occurrence is not None and not _has_alias_columns(node):
            return Source(occurrence.alias.lower(), occurrence)
        if isinstance(node, exp.Subquery) and not _has_alias_columns(node):
            return Source(node.alias.lower(), columns=_output_names(node.this))
        return Source((node.alias or node.name).lower())

    def owner(self, column: exp.Column) -> tuple[Occurrence, Column] | None:
        """Return the base table mention and the column a name means, or None when that is not certain."""
        select = column.find_ancestor(exp.Select)
        while select is not None:
            found = self._in_select(column, self.of(select))
            if found is not None:
                return found or None
            select = select.find_ancestor(exp.Select)
        return None

    def _in_select(self, column: exp.Column, sources: list[Source]) -> tuple[Occurrence, Column] | tuple[()] | None:
        """Return the owner, () for "somebody unknown", None for "look further out"."""
        qualifier = column.table.lower()
        if qualifier:
            matches = [source for source in sources if source.alias == qualifier]
        else:
            knows = [(source, source.has(column.name)) for source in sources]
            if any(answer is None for _, answer in knows):
                return ()
            matches = [source for source, answer in knows if answer]
        if not matches:
            return None
        if len(matches) != 1 or matches[0].occurrence is None:
            return ()
        found = matches[0].occurrence.table.column(column.name)
        return (matches[0].occurrence, found) if found else ()


def from_nodes(select: exp.Select) -> Iterator[exp.Expression]:
    """Yield the FROM and JOIN entries of a SELECT in text order."""
    start = select.args.get("from_") or select.args.get("from")
    if start is not None:
        yield start.this
    for join in select.args.get("joins") or ():
        yield join.this


def _has_alias_columns(node: exp.Expression) -> bool:
    alias = node.args.get("alias")
    return isinstance(alias, exp.TableAlias) and bool(alias.args.get("columns"))


def _output_names(query: exp.Expression) -> frozenset[str] | None:
    """Return the column names a derived table offers, None when a star or an unnamed expression hides them."""
    if not isinstance(query, exp.Select):
        return None
    names = [item.alias_or_name.lower() for item in query.expressions]
    stars = any(isinstance(item, exp.Star) or item.is_star for item in query.expressions)
    return None if stars or not all(names) else frozenset(names)


def unknown_column(name: str, tables: Iterable[Table]) -> ProgrammingError:
    """Return the error for a column that no table has, with the nearest names."""
    names = [column for table in tables for column in table.columns]
    near = difflib.get_close_matches(name.lower(), names, 3)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    return ProgrammingError(f"no column named {name!r}{hint}")
