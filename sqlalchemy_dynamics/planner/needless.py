"""Tables of which no row is needed: below LIMIT 0, or joined under a condition that is never true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from sqlalchemy_dynamics.odata.binding import simplify
from sqlalchemy_dynamics.odata.filters import Never
from sqlalchemy_dynamics.planner.names import Occurrence, cte_of, from_nodes
from sqlalchemy_dynamics.planner.plan import Marker
from sqlalchemy_dynamics.planner.pushdown import Translator
from sqlalchemy_dynamics.planner.shape import amount_of

__all__ = ["Needless", "needless"]

Needless = tuple[frozenset[int], dict[int, tuple[Marker, ...]]]
"""The occurrences no row is needed of, and the LIMIT parameters that say the same of others when they are 0."""

_READ = ("from_", "from", "joins", "laterals", "where")


def needless(tree: exp.Expression, occurrences: list[Occurrence], translator: Translator) -> Needless:
    """Return what need not be fetched. Text after LIMIT and contradictions in WHERE decide; nothing else is known."""
    judge = _Judge(tree, occurrences, translator)
    dead = frozenset(each.number for each in occurrences if judge.is_dead(each.node))
    alive = (each for each in occurrences if each.number not in dead)
    limits = {each.number: tuple(dict.fromkeys(_limits_above(each.node))) for each in alive}
    return dead, {number: markers for number, markers in limits.items() if markers}


def _limits_above(node: exp.Expression) -> Iterator[Marker]:
    above: exp.Expression | None = node
    while above is not None:
        amount = amount_of(above.args.get("limit"))
        if isinstance(amount, Marker):
            yield amount
        above = above.parent


class _Judge:
    """Says what is dead; conditions are judged once for every SELECT."""

    def __init__(self, tree: exp.Expression, occurrences: list[Occurrence], translator: Translator) -> None:
        self._occurrences, self._translator = occurrences, replace(translator, refused={}, sent={})
        self._verdicts: dict[int, bool] = {}
        self._readers: dict[int, list[exp.Table]] = {}
        for table in tree.find_all(exp.Table):
            cte = cte_of(table) if isinstance(table.this, exp.Identifier) else None
            if cte is not None:
                self._readers.setdefault(id(cte), []).append(table)

    def is_dead(self, node: exp.Expression) -> bool:
        """Say whether nothing that is read at this place changes the answer."""
        child, above = node, node.parent
        while above is not None:
            if _is_zero(above):
                return True
            if isinstance(above, exp.Select) and self._is_judged(above, child) and self._reads_nothing(above):
                return True
            if isinstance(above, exp.CTE) and not above.parent.args.get("recursive"):
                readers = self._readers.get(id(above), [])
                return bool(readers) and all(map(self.is_dead, readers))
            child, above = above, above.parent
        return False

    def _is_judged(self, select: exp.Select, child: exp.Expression) -> bool:
        """Without rows nothing is computed but aggregates of the whole."""
        return child.arg_key in _READ or (child.arg_key == "expressions" and not _is_aggregated(select))

    def _reads_nothing(self, select: exp.Select) -> bool:
        if id(select) not in self._verdicts:
            self._verdicts[id(select)] = False
            self._verdicts[id(select)] = self._never_true(select) or self._joins_nothing(select)
        return self._verdicts[id(select)]

    def _never_true(self, select: exp.Select) -> bool:
        where = select.args.get("where")
        if where is None or self._is_alone(select):
            return False
        if where.find(exp.Column) is not None and _has_outer_join(select):
            return False
        nodes = list(from_nodes(select))
        own = [each for each in self._occurrences if any(each.node is node for node in nodes)]
        targets = own or (self._occurrences[:1] if where.find(exp.Column) is None else [])
        filters = (self._translator.translate(where.this, target) for target in targets)
        return any(each is not None and simplify(each.filter) == Never() for each in filters)

    def _is_alone(self, select: exp.Select) -> bool:
        """The filter of the one table that is read says the same."""
        nodes = list(from_nodes(select))
        table = len(nodes) == 1 and any(each.node is nodes[0] for each in self._occurrences)
        return table and len(list(select.find_all(exp.Select))) == 1

    def _joins_nothing(self, select: exp.Select) -> bool:
        """An inner join with a query that returns nothing."""
        if _has_outer_join(select):
            return False
        queries = (node.this for node in from_nodes(select) if isinstance(node, exp.Subquery))
        return any(self._returns_nothing(query) for query in queries)

    def _returns_nothing(self, query: exp.Expression) -> bool:
        if _is_zero(query):
            return True
        return isinstance(query, exp.Select) and not _is_aggregated(query) and self._reads_nothing(query)


def _is_zero(query: exp.Expression) -> bool:
    amount = amount_of(query.args.get("limit"))
    return amount == 0 and not isinstance(amount, bool)


def _has_outer_join(select: exp.Select) -> bool:
    return any(join.side or join.kind in ("SEMI", "ANTI") for join in select.args.get("joins") or ())


def _is_aggregated(select: exp.Select) -> bool:
    """A group of everything is there without rows; GROUPING SETS, CUBE and ROLLUP hold one too."""
    group = select.args.get("group")
    if group is not None:
        return any(value for name, value in group.args.items() if name != "expressions")
    return any(node.find_ancestor(exp.Select) is select for node in select.find_all(exp.AggFunc, exp.Anonymous))
