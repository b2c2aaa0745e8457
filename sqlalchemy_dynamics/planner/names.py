"""Which base tables a statement reads, and which table a column name belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.metadata.model import Column, Table

__all__ = ["Lookup", "Occurrence", "Source", "Sources", "find_occurrences", "from_nodes", "is_transparent"]

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


Owned = tuple[Occurrence, Column]


@dataclass(frozen=True)
class Source:
    """One entry of a FROM clause: its alias, and its base table.

    A derived table has `columns` instead: for every name it offers the base column that the name stands for, None for
    anything computed; `columns` None when its names are not known. `origins` are base columns that at least hold every
    value that a name shows, whatever is done to the rows in between.
    """

    alias: str
    occurrence: Occurrence | None = None
    columns: Mapping[str, Owned | None] | None = None
    origins: Mapping[str, Owned] = field(default_factory=dict)

    def has(self, name: str) -> bool | None:
        """Say whether it has that column; None when its columns are unknown."""
        if self.occurrence is not None:
            return self.occurrence.table.column(name) is not None
        return None if self.columns is None else name.lower() in self.columns

    def origin(self, name: str) -> Owned | None:
        """Return the base column whose fetched rows hold every value of a name."""
        return self.owned(name) or self.origins.get(name.lower())

    def owned(self, name: str) -> Owned | None:
        """Return the base column a name stands for."""
        if self.occurrence is None:
            return None if self.columns is None else self.columns.get(name.lower())
        found = self.occurrence.table.column(name)
        return None if found is None else (self.occurrence, found)


def find_occurrences(tree: exp.Expression, lookup: Lookup) -> list[Occurrence]:
    """Return every base table mention in text order. Raises ProgrammingError for an unknown table."""
    found: list[Occurrence] = []
    for node in tree.find_all(exp.Table, bfs=False):
        if not isinstance(node.this, exp.Identifier):
            _refuse_function(node)
        elif cte_of(node) is None:
            table = _resolve(node, lookup)
            found.append(Occurrence(len(found) + 1, node, table, node.alias or node.name))
    return found


def _resolve(node: exp.Table, lookup: Lookup) -> Table:
    schema = node.text("db").lower()
    table = lookup(node.name) if schema in _SELF_SCHEMAS and not node.text("catalog") else None
    if table is None:
        raise ProgrammingError(f"no table named {node.sql()}: use a logical name such as account (`dynamics tables`)")
    if not table.entity_set:
        raise ProgrammingError(f"{table.name} has no rows of its own to ask for: name a table of `dynamics tables`")
    return table


def _refuse_function(node: exp.Table) -> None:
    function = node.this
    name = function.name if isinstance(function, exp.Anonymous) else function.key
    if name.lower() not in _TABLE_FUNCTIONS:
        raise ProgrammingError(f"the table function {name} is not available: only tables of the organisation are")


def cte_of(node: exp.Table) -> exp.CTE | None:
    """Return the common table expression a name means: it sees only earlier ones, and itself when recursive."""
    if node.text("db"):
        return None
    inside: exp.Expression = node
    name = node.name.lower()
    while inside.parent is not None:
        inside, child = inside.parent, inside
        clause = inside.args.get("with_") or inside.args.get("with")
        visible: Iterable[exp.CTE] = ()
        if isinstance(clause, exp.With) and clause is not child:
            visible = clause.expressions
        elif isinstance(inside, exp.With) and isinstance(child, exp.CTE):
            visible = _earlier(inside, child)
        found = [cte for cte in visible if cte.alias.lower() == name]
        if found:
            return found[-1]
    return None


def _earlier(clause: exp.With, child: exp.CTE) -> list[exp.CTE]:
    ctes = clause.expressions
    position = next(number for number, cte in enumerate(ctes) if cte is child)
    return list(ctes[: position + (1 if clause.args.get("recursive") else 0)])


@dataclass
class Sources:
    """The name spaces of a statement: for every SELECT, its FROM entries."""

    occurrences: list[Occurrence]
    _by_node: dict[int, Occurrence] = field(init=False)
    _cache: dict[int, list[Source]] = field(default_factory=dict)
    _cte_readers: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_node = {id(occurrence.node): occurrence for occurrence in self.occurrences}

    def of(self, select: exp.Select) -> list[Source]:
        """Return the FROM entries of that SELECT, in text order."""
        if id(select) not in self._cache:
            self._cache[id(select)] = [self._source(node) for node in from_nodes(select)]
        return self._cache[id(select)]

    def _source(self, node: exp.Expression) -> Source:
        occurrence = self._by_node.get(id(node))
        alias = (node.alias or node.name).lower()
        if occurrence is not None and not _has_alias_columns(node):
            return Source(alias, occurrence)
        query = None if _has_alias_columns(node) else self.query_of(node)
        shared = None if _has_alias_columns(node) else query or _shared_query(node)
        origins = self._origins(shared) if isinstance(shared, exp.Select) else {}
        return Source(alias, None, self._offered(query) if isinstance(query, exp.Select) else None, origins)

    def _origins(self, query: exp.Select) -> dict[str, Owned]:
        """Return where the values of a query's columns come from; names that are not unique are left out."""
        names = [item.alias_or_name.lower() for item in query.expressions]
        if any(item.is_star for item in query.expressions):
            starred = self._starred(query, query.expressions[0], origins=True) if len(names) == 1 else None
            return {name: owned for name, owned in (starred or {}).items() if owned is not None}
        inner = [item.this if isinstance(item, exp.Alias) else item for item in query.expressions]
        found = {name: self.origin_of(node) for name, node in zip(names, inner, strict=True) if names.count(name) == 1}
        return {name: owned for name, owned in found.items() if owned is not None}

    def query_of(self, node: exp.Expression) -> exp.Expression | None:
        """Return the query of a derived table, or of a common table expression that is read at this place only."""
        if isinstance(node, exp.Subquery):
            return None if any(node.args.get(key) for key in ("sample", "pivots", "joins")) else node.this
        cte = cte_of(node) if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier) else None
        if cte is None or _has_alias_columns(cte) or cte.parent.args.get("recursive") or self._readers(cte) != 1:
            return None
        return cte.this

    def _readers(self, cte: exp.CTE) -> int:
        if not self._cte_readers:
            for table in cte.root().find_all(exp.Table):
                read = cte_of(table) if isinstance(table.this, exp.Identifier) else None
                self._cte_readers[id(read)] = self._cte_readers.get(id(read), 0) + 1
        return self._cte_readers.get(id(cte), 0)

    def _offered(self, select: exp.Select) -> Mapping[str, Owned | None] | None:
        """Return the names a derived table offers and the base columns they stand for."""
        clear = is_transparent(select)
        offered: dict[str, Owned | None] = {}
        for item in select.expressions:
            named = self._starred(select, item) if item.is_star else self._named(item)
            if named is None:
                return None
            for name, owned in named.items():
                offered[name] = owned if clear and name not in offered else None
        return offered

    def _named(self, item: exp.Expression) -> dict[str, Owned | None] | None:
        name = item.alias_or_name.lower()
        inner = item.this if isinstance(item, exp.Alias) else item
        return {name: self.owner(inner) if isinstance(inner, exp.Column) else None} if name else None

    def _starred(
        self, select: exp.Select, item: exp.Expression, origins: bool = False
    ) -> dict[str, Owned | None] | None:
        sources = self.of(select)
        star = item if isinstance(item, exp.Star) else item.this
        if len(sources) != 1 or not isinstance(star, exp.Star) or any(star.args.values()):
            return None
        source = sources[0]
        names = source.occurrence.table.columns if source.occurrence else source.columns
        known = source.origin if origins else source.owned
        return None if names is None else {name.lower(): known(name) for name in names}

    def owner_of(self, node: exp.Expression) -> Owned | None:
        """Return the base table mention and the column of a plain column, None for any other expression."""
        while isinstance(node, exp.Paren):
            node = node.this
        return self.owner(node) if isinstance(node, exp.Column) else None

    def origin_of(self, node: exp.Expression) -> Owned | None:
        """Return the base column of which every value of a plain column comes, through LIMIT, DISTINCT and groups."""
        while isinstance(node, exp.Paren):
            node = node.this
        return self.owner(node, origins=True) if isinstance(node, exp.Column) else None

    def owner(self, column: exp.Column, origins: bool = False) -> Owned | None:
        """Return the base table mention and the column a name means, or None when that is not certain."""
        select = column.find_ancestor(exp.Select)
        while select is not None:
            found = self._in_select(column, self.of(select), origins)
            if found is not None:
                return found or None
            select = select.find_ancestor(exp.Select)
        return None

    def _in_select(self, column: exp.Column, sources: list[Source], origins: bool) -> Owned | tuple[()] | None:
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
        if len(matches) != 1:
            return ()
        return (matches[0].origin(column.name) if origins else matches[0].owned(column.name)) or ()


def _shared_query(node: exp.Expression) -> exp.Expression | None:
    """Return the query of a common table expression, however many read it."""
    cte = cte_of(node) if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier) else None
    if cte is None or _has_alias_columns(cte) or cte.parent.args.get("recursive"):
        return None
    return cte.this


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


_OPAQUE = ("limit", "offset", "distinct", "group", "having", "qualify", "windows")


def is_transparent(select: exp.Select) -> bool:
    """Say whether a condition on what a derived table offers may as well stand in its own WHERE."""
    if any(select.args.get(key) for key in _OPAQUE):
        return False
    return not any(
        item.find(exp.AggFunc, exp.Window, exp.Explode, exp.UDTF, exp.Anonymous) for item in select.expressions
    )
