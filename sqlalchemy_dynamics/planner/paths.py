"""Ways from one table to another, and what a filter means once it has been moved: into a lambda, along a lookup."""

from __future__ import annotations

from sqlalchemy_dynamics.metadata.model import Column, Kind, Table
from sqlalchemy_dynamics.odata.filters import (
    All,
    Among,
    Both,
    ColumnCompare,
    Compare,
    Either,
    Filter,
    Has,
    Match,
    Never,
    Null,
    Path,
)

__all__ = ["MOST_VALUES", "columns_in", "fits_lambda", "is_never_null", "needs_a_row", "way_to"]

MOST_VALUES = 50
"""Values of a list outside of the queried table, where each is a comparison of its own."""


_OWNERS = ("owninguser", "owningteam")


def way_to(table: Table, column: Column, target: str) -> str | None:
    """Return the navigation property from a lookup to rows of that table, None when it does not lead there.

    An owner is reached through owninguser and owningteam: its own navigation leads to what both have in common.
    """
    owners = [table.columns[name] for name in _OWNERS if name in table.columns] if column.name == "ownerid" else []
    for each in owners or [column]:
        found = each.navigations.get(target) if each.kind is Kind.LOOKUP else None
        if found is not None and list(each.navigations.values()).count(found) == 1:
            return found
    return None


def fits_lambda(condition: Filter) -> bool:
    """Say whether a condition may stand inside of `any`: paths along lookups and query functions are not documented."""
    if isinstance(condition, (Both, Either)):
        return all(map(fits_lambda, condition.terms))
    if isinstance(condition, Has):
        return len(condition.navigation) == 1 and (condition.term is None or fits_lambda(condition.term))
    if isinstance(condition, Among) and len(condition.operands) > MOST_VALUES:
        return False
    return isinstance(condition, Never) or (
        isinstance(condition, (Compare, ColumnCompare, Null, Match, Among))
        and all(len(path) == 1 for path in columns_in(condition))
    )


def columns_in(condition: Filter) -> set[Path]:
    """Return the paths a condition names; inside of lambdas they belong to other tables and are left out."""
    if isinstance(condition, (Both, Either)):
        return {path for term in condition.terms for path in columns_in(term)}
    if isinstance(condition, ColumnCompare):
        return {condition.left, condition.right}
    return set() if isinstance(condition, (Has, All, Never)) else {condition.path}


def needs_a_row(condition: Filter) -> bool:
    """Say whether a condition is surely not true of a row whose columns are all NULL."""
    if isinstance(condition, Both):
        return any(map(needs_a_row, condition.terms))
    if isinstance(condition, Either):
        return all(map(needs_a_row, condition.terms))
    if isinstance(condition, Null):
        return condition.negated
    return not isinstance(condition, (Has, All))


def is_never_null(condition: Filter, path: Path) -> bool:
    """Say whether a column surely holds a value wherever the condition is true."""
    if isinstance(condition, Both):
        return any(is_never_null(term, path) for term in condition.terms)
    if isinstance(condition, Either):
        return all(is_never_null(term, path) for term in condition.terms)
    return isinstance(condition, Never) or (path in columns_in(condition) and needs_a_row(condition))
