"""How one table's rows narrow another's: keys of the smaller side sent to the larger, or both in one request.

A link says: of `target`, only rows whose `column` equals some fetched row's `key` of `source` can matter. It holds
wherever the equality must be true for a row to survive (the same rule that lets a filter go down).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Kind
from sqlalchemy_dynamics.odata.filters import Among, Both, Compare, CrmCall, Either, Filter, Has, Match, Path
from sqlalchemy_dynamics.planner.names import Occurrence, Sources, from_nodes, is_transparent
from sqlalchemy_dynamics.planner.paths import way_to

__all__ = ["Link", "choose", "links_in", "rank"]

_LINKABLE = frozenset({"UUID", "INTEGER", "BIGINT"})
_UNRESTRICTED = 9
_RESTRICTED = 4


@dataclass(frozen=True)
class Link:
    """Rows of `target` matter only when their `column` is among the `key` values of `source`'s fetched rows."""

    source: Occurrence
    key: Column
    target: Occurrence
    column: Column

    @property
    def turned(self) -> Link:
        """The same equality, the other way round."""
        return Link(self.target, self.column, self.source, self.key)

    @property
    def navigation(self) -> str | None:
        """The navigation property from the source's lookup to the target's row: many to one."""
        joined = self.source.table.joined and self.target.table.joined
        if not joined or self.column.name != self.target.table.primary_key:
            return None
        return way_to(self.source.table, self.key, self.target.table.name)


def links_in(condition: exp.Expression, target: Occurrence, sources: Sources) -> Iterator[Link]:
    """Yield the links a condition that must be true makes for `target`."""
    terms = condition.flatten() if isinstance(condition, exp.And) else (condition,)
    for term in terms:
        while isinstance(term, exp.Paren):
            term = term.this
        if isinstance(term, exp.EQ):
            yield from _equal(term.this, term.expression, target, sources)
            yield from _equal(term.expression, term.this, target, sources)
        elif isinstance(term, exp.In) and isinstance(term.args.get("query"), exp.Subquery):
            item = _only_item(term.args["query"].this)
            if item is not None:
                yield from _equal(term.this, item, target, sources)
                yield from _equal(item, term.this, target, sources)
        elif isinstance(term, exp.Exists) and isinstance(term.this, exp.Select):
            yield from _of_exists(term.this, target, sources)


def _equal(aim: exp.Expression, origin: exp.Expression, target: Occurrence, sources: Sources) -> Iterator[Link]:
    """Yield the link of `aim = origin`: rows of the one, as far as they have a value of the other."""
    narrowed, known = sources.owner_of(aim), sources.origin_of(origin)
    if narrowed is None or known is None or narrowed[0] is not target or known[0] is target:
        return
    (source, key), column = known, narrowed[1]
    if column.companion or key.companion:
        return
    texts = column.type.family == key.type.family == "VARCHAR" and column.kind is Kind.VALUE
    alike = column.type == key.type and column.type.family in _LINKABLE and column.kind is not Kind.FILE
    if texts or alike:
        yield Link(source, key, target, column)


def _only_item(query: exp.Expression) -> exp.Expression | None:
    if not isinstance(query, exp.Select) or len(query.expressions) != 1:
        return None
    item = query.expressions[0]
    inner = item.this if isinstance(item, exp.Alias) else item
    return inner if isinstance(inner, exp.Column) else None


def _of_exists(query: exp.Select, target: Occurrence, sources: Sources) -> Iterator[Link]:
    where = query.args.get("where")
    if where is None or not is_transparent(query) or len(list(from_nodes(query))) != 1:
        return
    inside = sources.of(query)[0].occurrence
    for link in links_in(where.this, target, sources):
        if link.source is inside:
            yield link


def rank(condition: Filter, table_key: str) -> int:
    """Guess how much a condition restricts: 0 one row, 4 a range or a text search, 9 hardly."""
    if isinstance(condition, Both):
        return min((rank(term, table_key) for term in condition.terms), default=_UNRESTRICTED)
    if isinstance(condition, Either):
        return max((rank(term, table_key) for term in condition.terms), default=_UNRESTRICTED)
    if isinstance(condition, Compare):
        return _compare_rank(condition.path, condition.op, table_key)
    if isinstance(condition, Among):
        return _UNRESTRICTED if condition.negated else 2
    if isinstance(condition, Match):
        return _UNRESTRICTED if condition.negated else 3
    if isinstance(condition, Has):
        return _UNRESTRICTED if condition.negated or condition.term is None else _RESTRICTED
    return 3 if isinstance(condition, CrmCall) else _UNRESTRICTED


def _compare_rank(path: Path, op: str, table_key: str) -> int:
    if op == "eq":
        return 0 if path == (table_key,) else 1 if path[-1].startswith("_") else 2
    return _UNRESTRICTED if op == "ne" else _RESTRICTED


def choose(
    links: list[Link],
    filters: Mapping[int, Filter],
    occurrences: list[Occurrence],
    few: Set[int],
    roots: Mapping[int, int],
) -> dict[int, Link]:
    """Return, by target number, the links whose keys are worth fetching first: from the more restricted table.

    `few` are the tables that a LIMIT leaves few rows of, `roots` the tables in whose replies others come: who waits
    for one of those waits for its root.
    """
    ranks = {each.number: 1 if each.number in few else _rank_of(each, filters) for each in occurrences}
    chosen: dict[int, Link] = {}
    settled: set[int] = set()
    while True:
        open_links = [link for link in links if _is_worth(link, ranks, settled, roots)]
        if not open_links:
            return chosen
        link = min(open_links, key=lambda link: ranks[link.source.number])
        chosen[link.target.number] = link
        settled |= {link.source.number, link.target.number, roots.get(link.source.number, link.source.number)}
        ranks[link.target.number] = ranks[link.source.number] + 1


def _rank_of(occurrence: Occurrence, filters: Mapping[int, Filter]) -> int:
    condition = filters.get(occurrence.number)
    return _UNRESTRICTED if condition is None else rank(condition, occurrence.table.primary_key)


def _is_worth(link: Link, ranks: Mapping[int, int], settled: Set[int], roots: Mapping[int, int]) -> bool:
    """The source must be restricted and more so than the target; a table whose keys were used waits for no other."""
    source, target = link.source.number, link.target.number
    if target in settled or roots.get(source) == target:
        return False
    return ranks[source] <= _RESTRICTED + 1 and ranks[source] < ranks[target]
