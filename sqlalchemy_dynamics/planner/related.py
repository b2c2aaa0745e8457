"""EXISTS and IN (SELECT …) as one condition of the outer table: `any` over its children or its many-to-many partners,
or a path along its lookup.

EXISTS is true or false, never NULL, so that its negation is `not any` (dataverse-web-api: lambda operators). Along a
lookup only what is true of the looked-up row is said, not its opposite: whether a comparison with the column of a
missing row is one with NULL, is not documented.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Kind, Table
from sqlalchemy_dynamics.odata.binding import simplify
from sqlalchemy_dynamics.odata.filters import Both, Filter, Has, Never, Null
from sqlalchemy_dynamics.planner.expansion import through
from sqlalchemy_dynamics.planner.leaves import EVERYTHING, NOTHING, Pushed
from sqlalchemy_dynamics.planner.names import Occurrence, Owned, from_nodes
from sqlalchemy_dynamics.planner.partners import far_end
from sqlalchemy_dynamics.planner.paths import columns_in, fits_lambda, is_never_null, needs_a_row, way_to

if TYPE_CHECKING:
    from sqlalchemy_dynamics.planner.pushdown import Translator

__all__ = ["condition_of_exists", "condition_of_in", "counted_rows"]

_COUNTED = {
    (exp.GT, "0"): True,
    (exp.GTE, "1"): True,
    (exp.NEQ, "0"): True,
    (exp.EQ, "0"): False,
    (exp.LT, "1"): False,
    (exp.LTE, "0"): False,
}
_CHANGING = ("offset", "group", "having", "qualify", "windows")


@dataclass(frozen=True)
class Linked:
    """A subquery over one table: `pair` are the (inner, outer) columns to be equal, `terms` what else it asks."""

    inside: Occurrence
    pair: tuple[Column, Column]
    terms: list[exp.Expression]


def condition_of_exists(
    translator: Translator, query: exp.Expression, target: Occurrence, negated: bool
) -> Pushed | None:
    """Return what EXISTS (SELECT … FROM child WHERE child.lookup = target.key AND …) says, None unless exactly."""
    linked = _exists(translator, query, target)
    return None if linked is None else related(translator, linked, target, negated)


def condition_of_in(translator: Translator, node: exp.In, target: Occurrence, negated: bool) -> Pushed | None:
    """Return what `target.column [NOT] IN (SELECT column FROM other WHERE …)` says.

    NOT IN is true of no row once the list holds NULL, and of rows without a value once it is empty: exact only for the
    outer table's key against a column that cannot be NULL there.
    """
    linked = _in(translator, node, target)
    found = None if linked is None else related(translator, linked, target, negated)
    if not negated or found is None or linked is None:
        return found
    return Pushed(found.filter, found.exact and never_null(translator, linked))


def _exists(translator: Translator, query: exp.Expression, target: Occurrence) -> Linked | None:
    inside = _only_table(translator, query)
    where = query.args.get("where") if inside is not None else None
    if inside is None or where is None:
        return None
    terms = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    for term in terms:
        pair = _pair(translator, term, inside, target)
        if pair is not None:
            return Linked(inside, pair, [other for other in terms if other is not term])
    return None


def _in(translator: Translator, node: exp.In, target: Occurrence) -> Linked | None:
    query = node.args["query"].this
    inside = _only_table(translator, query)
    outer = translator.sources.owner_of(node.this)
    if inside is None or outer is None or outer[0] is not target or len(query.expressions) != 1:
        return None
    item = query.expressions[0]
    inner = translator.sources.owner_of(item.this if isinstance(item, exp.Alias) else item)
    if inner is None or inner[0] is not inside or query.args.get("limit"):
        return None
    where = query.args.get("where")
    return Linked(inside, (inner[1], outer[1]), [where.this] if where is not None else [])


def counted_rows(translator: Translator, node: exp.Expression, target: Occurrence, negated: bool) -> Pushed | None:
    """Return what `(SELECT count(*) FROM child WHERE …) > 0` says, which is EXISTS; and `= 0`, which is not."""
    subquery, number = node.this, node.expression
    wanted = _COUNTED.get((type(node), number.name if isinstance(number, exp.Literal) else ""))
    if wanted is None or not isinstance(subquery, exp.Subquery) or not isinstance(subquery.this, exp.Select):
        return None
    query = subquery.this
    counts = query.expressions
    item = counts[0].this if len(counts) == 1 and isinstance(counts[0], exp.Alias) else counts[0] if counts else None
    if len(counts) != 1 or not isinstance(item, exp.Count) or not isinstance(item.this, (exp.Star, exp.Literal)):
        return None
    return condition_of_exists(translator, query, target, wanted == negated)


def _only_table(translator: Translator, query: exp.Expression) -> Occurrence | None:
    """Return the one table a subquery reads, when all it does is to choose among its rows."""
    if not isinstance(query, exp.Select) or query.args.get("with_") or not _chooses(query):
        return None
    sources = translator.sources.of(query) if len(list(from_nodes(query))) == 1 else []
    inside = sources[0].occurrence if sources else None
    return inside if inside is not None and inside.table.joined else None


def _chooses(query: exp.Select) -> bool:
    limit, distinct = query.args.get("limit"), query.args.get("distinct")
    if any(query.args.get(clause) for clause in _CHANGING) or (limit is not None and not _leaves_one(limit)):
        return False
    if isinstance(distinct, exp.Distinct) and distinct.args.get("on"):
        return False
    items = [item.this if isinstance(item, exp.Alias) else item for item in query.expressions]
    if len(items) == 1 and isinstance(items[0], exp.Count) and isinstance(query.parent, exp.Subquery):
        return True
    return not any(item.find(exp.AggFunc, exp.Window, exp.Explode, exp.UDTF, exp.Anonymous) for item in items)


def _leaves_one(limit: exp.Expression) -> bool:
    number = limit.expression if isinstance(limit, exp.Limit) else None
    plain = isinstance(number, exp.Literal) and number.name.isdigit() and not limit.args.get("limit_options")
    return plain and number is not None and int(number.name) > 0


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


def related(translator: Translator, linked: Linked, target: Occurrence, negated: bool = False) -> Pushed | None:
    """Return "some row inside is linked to this one and meets the terms", or that none does; None unless exactly."""
    if not target.table.joined:
        return None
    if linked.inside.table.intersect and linked.pair[1].name == target.table.primary_key:
        found = _as_partners(translator, linked, target)
        return None if found is None else Pushed(replace(found, negated=negated), True)
    condition = _condition(translator, linked.inside, linked.terms)
    if condition is None:
        return None
    if condition == Never():
        return EVERYTHING if negated else NOTHING
    children = _as_children(linked, target, condition)
    if children is not None:
        return Pushed(replace(children, negated=negated), True)
    said = None if negated else _as_lookup(linked, target, condition)
    return None if said is None else Pushed(said, True)


def _condition(translator: Translator, inside: Occurrence, terms: list[exp.Expression]) -> Filter | None:
    """Return terms as one filter of the inner table, None unless exactly."""
    pushed = [translator.translate(term, inside) for term in terms]
    if any(each is None or not each.exact for each in pushed):
        return None
    return simplify(Both(tuple(each.filter for each in pushed if each is not None)))


def _as_children(linked: Linked, target: Occurrence, condition: Filter) -> Has | None:
    """The inner table's lookup points to the outer row: a lambda over the collection of children."""
    inner, outer = linked.pair
    if outer.name != target.table.primary_key or inner.kind is not Kind.LOOKUP or not fits_lambda(condition):
        return None
    for navigation in target.table.navigations.values():
        if navigation.collection and (navigation.target, navigation.column) == (linked.inside.table.name, inner.name):
            return Has((navigation.name,), None if condition == Both(()) else condition)
    return None


def _as_partners(translator: Translator, linked: Linked, target: Occurrence) -> Has | None:
    """The inner table links many to many: a lambda over the rows at its far end.

    Its own conditions may name the far row's key only; others must be about the far row, by EXISTS or IN in their turn.
    """
    far = far_end(translator, linked.inside.table, target.table)
    if far is None or linked.pair[0].name != target.table.primary_key:
        return None
    navigation, table = far
    conditions = [_of_far_row(translator, linked.inside, table, term) for term in linked.terms]
    if any(condition is None for condition in conditions):
        return None
    condition = simplify(Both(tuple(each for each in conditions if each is not None)))
    if not fits_lambda(condition) or condition == Never():
        return None
    return Has((navigation,), None if condition == Both(()) else condition)


def _of_far_row(translator: Translator, link: Occurrence, table: Table, term: exp.Expression) -> Filter | None:
    while isinstance(term, exp.Paren):
        term = term.this
    linked = None
    if isinstance(term, exp.Exists):
        linked = _exists(translator, term.this, link)
    elif isinstance(term, exp.In) and isinstance(term.args.get("query"), exp.Subquery):
        linked = _in(translator, term, link)
    if linked is not None:
        by_key = {column.name for column in linked.pair} == {table.primary_key}
        known = linked.inside.table.name == table.name and by_key
        return _condition(translator, linked.inside, linked.terms) if known else None
    condition = _condition(translator, link, [term])
    key = (table.columns[table.primary_key].wire,)
    return condition if condition is not None and columns_in(condition) <= {key} else None


def _as_lookup(linked: Linked, target: Occurrence, condition: Filter) -> Filter | None:
    """The outer row's lookup points to the inner table: a path along it, and there must be a row at its end."""
    (inner, outer), inside = linked.pair, linked.inside
    navigation = way_to(target.table, outer, inside.table.name)
    said = through(navigation, condition) if navigation is not None else None
    if navigation is None or inner.name != inside.table.primary_key or said is None:
        return None
    exists = Null((navigation, inner.wire), negated=True)
    return said if needs_a_row(condition) else exists if said == Both(()) else Both((exists, said))


def never_null(translator: Translator, linked: Linked) -> bool:
    """Say whether the inner column surely holds a value in every row that meets the terms."""
    inner, inside = linked.pair[0], linked.inside
    condition = _condition(translator, inside, linked.terms)
    if inner.name == inside.table.primary_key or inside.table.intersect:
        return True
    return condition is not None and is_never_null(condition, (inner.wire,))
