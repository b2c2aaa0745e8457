"""What WHERE and ON imply for each base table.

A filter p of table T may go down when every row that survives the condition holds a real row of T with p: T is never
NULL-extended where the condition stands, or the condition is never true once all columns of T are NULL. Each condition
keeps standing in the residual SQL, except exact terms over tables that are not NULL-extended there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from sqlalchemy_dynamics.odata.filters import All, Both, CrmCall, Either, Filter, Has
from sqlalchemy_dynamics.planner.dates import argument
from sqlalchemy_dynamics.planner.links import Link, links_in
from sqlalchemy_dynamics.planner.names import Occurrence, Sources, from_nodes, is_transparent
from sqlalchemy_dynamics.planner.pushdown import Pushed, Translator

__all__ = ["Implied", "cannot_be_missing", "imply", "is_odd"]

_REFUSED_METHODS = frozenset({"ASOF", "POSITIONAL", "NATURAL"})
TRUE, FALSE, NEVER, MAYBE = "true", "false", "never", "maybe"
_NEGATION = {TRUE: FALSE, FALSE: TRUE, NEVER: NEVER, MAYBE: MAYBE}
_STRICT = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.Escape,
    exp.Add, exp.Sub, exp.Mul, exp.Div,
)  # fmt: skip


@dataclass
class Implied:
    """The filters by occurrence number, and the condition terms that need no second look.

    The terms of the tables in `kept` are looked at again all the same, so that more rows of these may be fetched.
    """

    filters: dict[int, Filter] = field(default_factory=dict)
    terms: list[tuple[int, exp.Expression]] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)

    @property
    def settled(self) -> list[exp.Expression]:
        """The terms that every fetched row meets."""
        return [term for number, term in self.terms if number not in self.kept]

    def said_elsewhere(self, numbers: set[int]) -> None:
        """Forget the conditions of tables that are only read for rows of another one, which say them already."""
        self.filters = {number: each for number, each in self.filters.items() if number not in numbers}
        self.kept -= numbers

    def keep_looked_up(self) -> None:
        """Let rows that a lookup leads to come with the rows that look them up, and be chosen among here.

        Done where the condition is not one of the join: a LEFT JOIN, NOT EXISTS; not where it calls a query function.
        """
        pairs = {(link.source.number, link.target.number) for link in self.links}
        for link in self.links:
            source, target = link.source.number, link.target.number
            one_way = (target, source) not in pairs and _is_read_by(link.target, link.source)
            known = self.filters.get(target)
            if known is not None and one_way and link.navigation is not None and not _asks_service(known):
                self.kept.add(target)


def _asks_service(condition: Filter) -> bool:
    """Say whether a condition calls a query function, which nothing but the service computes."""
    if isinstance(condition, (Both, Either)):
        return any(map(_asks_service, condition.terms))
    if isinstance(condition, (Has, All)):
        return condition.term is not None and _asks_service(condition.term)
    return isinstance(condition, CrmCall)


def _is_read_by(occurrence: Occurrence, other: Occurrence) -> bool:
    """Say whether a table is read in the SELECT that reads the other one, or further inside of it."""
    outer = other.node.find_ancestor(exp.Select)
    above = occurrence.node.parent
    while above is not None and above is not outer:
        above = above.parent
    return above is not None


@dataclass(frozen=True)
class _Entry:
    """One FROM entry inside its comma item: the join that brings it in, None for the first."""

    node: exp.Expression
    join: exp.Join | None


def imply(tree: exp.Expression, occurrences: list[Occurrence], translator: Translator) -> Implied:
    """Return what every SELECT's conditions imply for the base tables it reads, through derived tables as well."""
    implied = Implied()
    by_node = {id(occurrence.node): occurrence for occurrence in occurrences}
    for select in tree.find_all(exp.Select):
        if not is_odd(select):
            for node, condition, extended in _conditions(select):
                for target, inside in _targets(node, by_node, translator.sources):
                    _add(implied, translator, target, condition, extended or inside)
                    implied.links += links_in(condition, target, translator.sources)
    return implied


def _targets(
    node: exp.Expression, by_node: dict[int, Occurrence], sources: Sources
) -> Iterator[tuple[Occurrence, bool]]:
    """Yield the base tables behind a FROM entry, and whether they may be NULL-extended inside of it."""
    if id(node) in by_node:
        yield by_node[id(node)], False
        return
    query = sources.query_of(node)
    if not isinstance(query, exp.Select) or not is_transparent(query) or is_odd(query):
        return
    for item in _comma_items(query):
        for position, entry in enumerate(item):
            extended = _extended(item, position, len(item))
            for target, inside in _targets(entry.node, by_node, sources):
                yield target, extended or inside


def is_odd(select: exp.Select) -> bool:
    """Say whether the joins of a SELECT are of kinds that nothing is derived from."""
    names = [(node.alias or node.name).lower() for node in from_nodes(select)]
    odd_join = any(
        join.args.get("method") in _REFUSED_METHODS or join.kind in ("SEMI", "ANTI")
        for join in select.args.get("joins") or ()
    )
    odd_node = any(
        node.args.get("sample") or node.args.get("pivots") or node.args.get("joins") or isinstance(node, exp.Paren)
        for node in from_nodes(select)
    )
    return odd_join or odd_node or len(set(names)) < len(names)


def _conditions(select: exp.Select) -> Iterator[tuple[exp.Expression, exp.Expression, bool]]:
    """Yield (FROM entry, condition, whether the entry is NULL-extended where the condition is judged)."""
    where = select.args.get("where")
    for item in _comma_items(select):
        for position, entry in enumerate(item):
            if where is not None:
                yield entry.node, where.this, _extended(item, position, len(item))
            for judged, other in enumerate(item):
                on = other.join.args.get("on") if other.join is not None else None
                if on is not None and _reaches(other.join, judged, position):
                    yield entry.node, on, judged != position and _extended(item, position, judged)


def _comma_items(select: exp.Select) -> Iterator[list[_Entry]]:
    """A comma binds weaker than JOIN: every comma item is a join tree of its own."""
    start = select.args.get("from_") or select.args.get("from")
    item = [_Entry(start.this, None)] if start is not None else []
    for join in select.args.get("joins") or ():
        if _is_comma(join):
            yield item
            item = [_Entry(join.this, None)]
        else:
            item.append(_Entry(join.this, join))
    yield item


def _is_comma(join: exp.Join) -> bool:
    return not any(join.args.get(key) for key in ("on", "using", "side", "kind", "method"))


def _extended(item: list[_Entry], position: int, end: int) -> bool:
    """Say whether joins before `end` can put NULLs for the whole row of the entry at `position`."""
    own = item[position].join
    if own is not None and own.side in ("LEFT", "FULL"):
        return True
    later = [entry.join for entry in item[position + 1 : end]]
    return any(join is not None and join.side in ("RIGHT", "FULL") for join in later)


def _reaches(join: exp.Join | None, judged: int, position: int) -> bool:
    """Say whether an ON condition may filter the entry at `position`: both sides, the right, the left or neither."""
    if join is None or position > judged:
        return False
    right = position == judged
    if join.side == "FULL":
        return False
    if join.side == "RIGHT":
        return not right
    return right if join.side == "LEFT" else True


def _add(
    implied: Implied, translator: Translator, target: Occurrence, condition: exp.Expression, extended: bool
) -> None:
    if extended and not cannot_be_missing(condition, translator, target):
        return
    terms = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
    for term in terms:
        pushed = translator.translate(term, target)
        if pushed is not None:
            _keep(implied, target, term, pushed, extended)


def _keep(implied: Implied, target: Occurrence, term: exp.Expression, pushed: Pushed, extended: bool) -> None:
    known = implied.filters.get(target.number)
    terms = known.terms if isinstance(known, Both) else () if known is None else (known,)
    implied.filters[target.number] = Both((*terms, pushed.filter)) if terms else pushed.filter
    if pushed.exact and not extended and target.table.trusted:
        implied.terms.append((target.number, term))


def cannot_be_missing(condition: exp.Expression, translator: Translator, target: Occurrence) -> bool:
    """Say whether a condition is never true of rows where every column of `target` is NULL."""
    return _value_without(condition, translator, target) in (FALSE, NEVER)


def _value_without(node: exp.Expression, translator: Translator, target: Occurrence) -> str:
    """Judge a condition with every column of `target` NULL: true, false, never (false or NULL), or maybe."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, (exp.And, exp.Or)):
        values = [_value_without(term, translator, target) for term in node.flatten()]
        return _all(values) if isinstance(node, exp.And) else _any(values)
    if isinstance(node, exp.Not):
        inner = _value_without(node.this, translator, target)
        return MAYBE if inner == NEVER and not _is_null(node.this, translator, target) else _NEGATION[inner]
    if isinstance(node, exp.Is) and not node.args.get("negate"):
        if isinstance(node.expression, exp.Null):
            return TRUE if _is_null(node.this, translator, target) else MAYBE
        return FALSE if _is_null(node.this, translator, target) else MAYBE
    if isinstance(node, exp.Boolean):
        return TRUE if node.this else FALSE
    return NEVER if _is_null(node, translator, target) else MAYBE


def _all(values: list[str]) -> str:
    if FALSE in values:
        return FALSE
    return NEVER if NEVER in values else TRUE if set(values) == {TRUE} else MAYBE


def _any(values: list[str]) -> str:
    if TRUE in values:
        return TRUE
    return MAYBE if MAYBE in values else FALSE if set(values) == {FALSE} else NEVER


def _is_null(node: exp.Expression, translator: Translator, target: Occurrence) -> bool:
    """Say whether an expression surely is NULL when every column of `target` is."""
    while isinstance(node, (exp.Paren, exp.Cast, exp.Lower, exp.Upper, exp.Neg)):
        node = node.this
    if isinstance(node, exp.Null):
        return True
    if isinstance(node, exp.Column):
        owned = translator.sources.owner(node)
        return owned is not None and owned[0] is target
    if isinstance(node, _STRICT):
        sides = (node.this, node.expression)
        return any(isinstance(side, exp.Expression) and _is_null(side, translator, target) for side in sides)
    if isinstance(node, exp.Between) or (isinstance(node, exp.In) and node.expressions):
        return _is_null(node.this, translator, target)
    inner = argument(node)
    return inner is not None and _is_null(inner, translator, target)
