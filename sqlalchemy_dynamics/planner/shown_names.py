"""Names of looked-up rows that a statement reads: no table in FROM holds them, those that the lookups point to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Companion, Kind
from sqlalchemy_dynamics.planner.names import Occurrence
from sqlalchemy_dynamics.planner.needs import columns_needed
from sqlalchemy_dynamics.planner.plan import ShownName

__all__ = ["names_shown"]


def names_shown(tree: exp.Expression, occurrences: list[Occurrence]) -> tuple[ShownName, ...]:
    """Return the name companions of lookups that a statement may read, each once."""
    needed = columns_needed(tree, occurrences)
    return tuple(dict.fromkeys(name for each in occurrences for name in _of(each, needed[each.number])))


def _of(occurrence: Occurrence, needed: Sequence[Column]) -> Iterator[ShownName]:
    table = occurrence.table
    for column in needed:
        base = table.columns.get(column.base)
        if column.companion is Companion.NAME and base is not None and base.kind is Kind.LOOKUP:
            yield ShownName(table.name, column.name, frozenset(base.navigations))
