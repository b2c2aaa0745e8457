"""EXISTS and IN (SELECT …) as one condition of the outer table: `any` over its children, or a path along its lookup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Kind
from sqlalchemy_dynamics.odata.binding import simplify
from sqlalchemy_dynamics.odata.filters import Both, CrmCall, Filter, Has, Never, Null
from sqlalchemy_dynamics.planner.expansion import through
from sqlalchemy_dynamics.planner.names import Occurrence, Owned, from_nodes, is_transparent

if TYPE_CHECKING:
    from sqlalchemy_dynamics.planner.pushdown import Translator

__all__ = ["condition_of_exists", "condition_of_in"]


def condition_of_exists(translator: Translator, node: exp.Exists, target: Occurrence) -> Filter | None:
    """Return what EXISTS (SELECT … FROM child WHERE child.lookup = target.key AND …) says, None unless exactly."""
    query = node.this
    inside = _only_table(translator, query)
    where = query.args.get("where") if inside is not None else None
    if inside is None or where is None:
        return None
    terms = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    for term in terms:
        pair = _pair(translator, term, inside, target)
        if pair is not None:
            rest = [other for other in terms if other is not term]
            return _joined(translator, pair, inside, target, rest)
    return None


def condition_of_in(translator: Translator, node: exp.In, target: Occurrence) -> Filter | None:
    """Return what `target.column IN (SELECT column FROM other WHERE …)` says, None unless exactly."""
    query = node.args["query"].this
    inside = _only_table(translator, query)
    outer = translator.sources.owner_of(node.this)
    if inside is None or outer is None or outer[0] is not target or len(query.expressions) != 1:
        return None
    item = query.expressions[0]
    inner = translator.sources.owner_of(item.this if isinstance(item, exp.Alias) else item)
    if inner is None or inner[0] is not inside:
        return None
    where = query.args.get("where")
    return _joined(translator, (inner[1], outer[1]), inside, target, [where.this] if where is not None else [])


def _only_table(translator: Translator, query: exp.Expression) -> Occurrence | None:
    if not isinstance(query, exp.Select) or not is_transparent(query) or query.args.get("with_"):
        return None
    sources = translator.sources.of(query) if len(list(from_nodes(query))) == 1 else []
    inside = sources[0].occurrence if sources else None
    return inside if inside is not None and inside.table.joined else None


def _pair(
    translator: Translator, term: exp.Expression, inside: Occurrence, target: Occurrence
) -> tuple[Column, Column] | None:
    """Return (inner column, outer column) of an equality between the two tables."""
    if not isinstance(term, exp.EQ):
        return None
    sides: list[Owned | None] = [translator.sources.owner_of(side) for side in (term.this, term.expression)]
    for one, two in (sides, sides[::-1]):
        if one is not None and two is not None and one[0] is inside and two[0] is target:
            return one[1], two[1]
    return None


def _joined(
    translator: Translator,
    pair: tuple[Column, Column],
    inside: Occurrence,
    target: Occurrence,
    rest: list[exp.Expression],
) -> Filter | None:
    pushed = [translator.translate(term, inside) for term in rest]
    if any(each is None or not each.exact for each in pushed):
        return None
    condition = simplify(Both(tuple(each.filter for each in pushed if each is not None)))
    if condition == Never():
        return condition
    return _as_children(pair, inside, target, condition) or _as_lookup(pair, inside, target, condition)


def _as_children(
    pair: tuple[Column, Column], inside: Occurrence, target: Occurrence, condition: Filter
) -> Filter | None:
    """The inner table's lookup points to the outer row: a lambda over the collection of children."""
    inner, outer = pair
    if outer.name != target.table.primary_key or inner.kind is not Kind.LOOKUP:
        return None
    if _holds(condition, CrmCall) or _reaches_further(condition):
        return None
    for navigation in target.table.navigations.values():
        if navigation.collection and navigation.target == inside.table.name and navigation.column == inner.name:
            return Has((navigation.name,), None if condition == Both(()) else condition)
    return None


def _as_lookup(pair: tuple[Column, Column], inside: Occurrence, target: Occurrence, condition: Filter) -> Filter | None:
    """The outer row's lookup points to the inner table: a path along it, and the lookup must point somewhere."""
    inner, outer = pair
    navigation = outer.navigations.get(inside.table.name) if outer.kind is Kind.LOOKUP else None
    if navigation is None or inner.name != inside.table.primary_key or len(outer.navigations) != 1:
        return None
    said = through(navigation, condition)
    if said is None or said == Both(()):
        return None
    return Both((Null((outer.wire,), negated=True), said))


def _reaches_further(condition: Filter) -> bool:
    """Paths along lookups are documented for rows, not inside of a lambda."""
    if len(getattr(condition, "path", ())) > 1:
        return True
    return any(_reaches_further(term) for term in getattr(condition, "terms", ()))


def _holds(condition: Filter, kind: type) -> bool:
    if isinstance(condition, kind):
        return True
    return any(_holds(term, kind) for term in getattr(condition, "terms", ()))
