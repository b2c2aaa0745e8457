"""What RETURNING wants of the rows that were written: columns that need no reading, or a SELECT by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp

from sqlalchemy_dynamics.errors import NotSupportedError
from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.planner.change_plan import Returning
from sqlalchemy_dynamics.planner.constants import Kinds
from sqlalchemy_dynamics.planner.lengths import shaping
from sqlalchemy_dynamics.planner.names import Lookup
from sqlalchemy_dynamics.planner.parse import parse, render
from sqlalchemy_dynamics.planner.plan import Plan
from sqlalchemy_dynamics.planner.reading import plan_select
from sqlalchemy_dynamics.planner.target import KEY, Target

__all__ = ["returning_of", "returning_plan"]


def returning_of(tree: exp.Expression, target: Target) -> Returning | None:
    """Return what a statement's RETURNING wants, None without one. Raises NotSupportedError for others' columns."""
    clause = tree.args.get("returning")
    if clause is None:
        return None
    plain = list(_plain(clause.expressions, tree, target))
    named = tuple(each for each in plain if each is not None)
    columns = named if len(named) == len(plain) else None
    return Returning(render(target.select(*clause.expressions)), target.table.primary_key, columns)


def returning_plan(
    returning: Returning,
    count: int,
    lookup: Lookup,
    kinds: Kinds,
    values: Mapping[int | str, object],
    pushdown: bool = True,
) -> Plan:
    """Plan the SELECT of what RETURNING wants of `count` rows; their keys are the parameters ``__key0``, …

    `kinds` and `values` are those of the statement's own parameters.
    """
    markers = ", ".join(f"${KEY}{number}" for number in range(count))
    statement = parse(f'{returning.sql} WHERE "{returning.key}" IN ({markers})')
    assert statement.tree is not None
    pinned = shaping(statement.pinned, values)
    keys: dict[int | str, str] = {f"{KEY}{number}": "str" for number in range(count)}
    return plan_select(statement.tree, lookup, {**kinds, **keys}, pinned, pushdown)


def _plain(
    items: Sequence[exp.Expression], tree: exp.Expression, target: Target
) -> Iterator[tuple[str, Column] | None]:
    for node in items:
        inner = node.this if isinstance(node, exp.Alias) else node
        if isinstance(inner, exp.Column) and not inner.is_star:
            if _is_of_another(inner, tree, target):
                yield None
                continue
            column = target.column(inner.name)
            yield node.alias or column.name, column
        elif inner.is_star and isinstance(inner, exp.Star):
            yield from ((column.name, column) for column in target.table.listed)
        else:
            yield None


def _is_of_another(column: exp.Column, tree: exp.Expression, target: Target) -> bool:
    """Whether RETURNING names another table's column, as DELETE may, which returns what it has read."""
    if column.table.lower() in {"", *target.names}:
        return False
    if not isinstance(tree, exp.Delete):
        name = f"{column.table}.{column.name}"
        raise NotSupportedError(f"RETURNING {name}: only columns of {target.table.name} can be returned")
    return True
