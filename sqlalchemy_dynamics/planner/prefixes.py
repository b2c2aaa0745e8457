"""Statements whose answer over the first rows of a table is the beginning of their whole answer.

Conditions that are tested here, columns that are computed, rows looked up along the way: every row stands for itself,
so that a LIMIT is met once enough rows of the table have come, in the order that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlglot import exp

from sqlalchemy_dynamics.odata.query import Order
from sqlalchemy_dynamics.planner.guids import output_of
from sqlalchemy_dynamics.planner.implied import is_odd
from sqlalchemy_dynamics.planner.names import Occurrence, Sources, from_nodes, is_transparent
from sqlalchemy_dynamics.planner.plan import Limit, Scan
from sqlalchemy_dynamics.planner.rows import is_scalar
from sqlalchemy_dynamics.planner.shape import limit_of, monotone, order_by, sortable

__all__ = ["Prefix", "prefix_of", "with_prefix"]

_PLAIN = frozenset(
    {"expressions", "from_", "from", "joins", "where", "order", "limit", "offset", "distinct", "with_", "with"}
)


@dataclass(frozen=True)
class Prefix:
    """What is wanted: `limit` rows in `orders` of scan `root` (0: of any).

    `exact` says that every row of the root makes one row of the answer.
    """

    limit: Limit
    orders: tuple[Order, ...]
    root: int
    exact: bool


def prefix_of(
    tree: exp.Expression, occurrences: list[Occurrence], sources: Sources, settled: Iterable[exp.Expression]
) -> Prefix | None:
    """Return what is wanted of the one table that is asked, None when all of it may be needed.

    ORDER BY is taken out of the tree when the rows of a single table come in its order.
    """
    limit = limit_of(tree) if isinstance(tree, exp.Select) else None
    if limit is None or limit.count is None or limit.count == 0 or not occurrences:
        return None
    chain = _chain(tree, sources)
    if chain is None or not _tables_only(chain[-1], occurrences):
        return None
    ordered = _ordered(tree, sources, alone=len(occurrences) == 1 and not tree.args.get("distinct"))
    if ordered is None:
        return None
    if len(occurrences) == 1 and not tree.args.get("distinct"):
        tree.set("order", None)
    done = {id(term) for term in settled}
    met = all(id(term) in done for select in chain for term in _terms(select))
    left = all(join.side == "LEFT" for join in chain[-1].args.get("joins") or ())
    first = next(each.number for each in occurrences if each.node is next(from_nodes(chain[-1])))
    root = ordered[1] or (first if left else 0)
    return Prefix(limit, ordered[0], root, met and left and root == first and not tree.args.get("distinct"))


def with_prefix(scans: tuple[Scan, ...], prefix: Prefix | None) -> tuple[tuple[Scan, ...], Limit | None]:
    """Return the scans, and the limit that tells when rows enough are there; None when that is not known."""
    asked = [scan for scan in scans if scan.through is None]
    if prefix is None or len(asked) != 1 or asked[0].keys is not None or prefix.root not in (0, asked[0].number):
        return scans, None
    root = replace(asked[0], order=prefix.orders, limit=prefix.limit if prefix.exact else Limit())
    return tuple(root if scan is asked[0] else scan for scan in scans), None if prefix.exact else prefix.limit


def _chain(tree: exp.Expression, sources: Sources) -> list[exp.Select] | None:
    """Return the statement and the derived tables it reads one from the other; None when it is anything more."""
    if not isinstance(tree, exp.Select) or tree.find(exp.SetOperation, exp.Window, exp.Pivot, exp.Lateral):
        return None
    chain = [tree]
    while len(nodes := list(from_nodes(chain[-1]))) == 1 and isinstance(
        query := sources.query_of(nodes[0]), exp.Select
    ):
        chain.append(query)
    if len(list(tree.find_all(exp.Select))) != len(chain) or not all(map(_is_row_by_row, chain)):
        return None
    inner = chain[1:]
    return chain if all(is_transparent(each) and not each.args.get("order") for each in inner) else None


def _is_row_by_row(select: exp.Select) -> bool:
    distinct = select.args.get("distinct")
    if isinstance(distinct, exp.Distinct) and distinct.args.get("on"):
        return False
    plain = not any(value for key, value in select.args.items() if key not in _PLAIN)
    return plain and is_scalar(select, subqueries=True)


def _tables_only(select: exp.Select, occurrences: list[Occurrence]) -> bool:
    nodes = list(from_nodes(select))
    joins = select.args.get("joins") or ()
    if is_odd(select) or any(join.side not in ("", "LEFT") or join.args.get("using") for join in joins):
        return False
    return len(nodes) == len(occurrences) and all(
        any(each.node is node and each.table.trusted for each in occurrences) for node in nodes
    )


def _ordered(tree: exp.Select, sources: Sources, alone: bool) -> tuple[tuple[Order, ...], int] | None:
    """Return ORDER BY as the service's and the number of the table it is about; text is ordered here otherwise."""
    clause = tree.args.get("order")
    orders, numbers = list[Order](), set[int]()
    terms = clause.expressions if clause is not None else []
    for ordered in terms:
        term = output_of(ordered.this, tree)
        term = monotone(term, ordered is terms[-1]) if term is not None else None
        owned = None if term is None else sources.owner_of(term)
        order = order_by(owned[1], ordered) if owned is not None and sortable(owned[1]) else None
        if owned is None or order is None or not owned[0].table.joined:
            return None
        if not alone and owned[1].type.family == "VARCHAR":
            return None
        orders.append(order)
        numbers.add(owned[0].number)
    return (tuple(orders), next(iter(numbers), 0)) if len(numbers) < 2 else None


def _terms(select: exp.Select) -> list[exp.Expression]:
    where = select.args.get("where")
    if where is None:
        return []
    return list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
