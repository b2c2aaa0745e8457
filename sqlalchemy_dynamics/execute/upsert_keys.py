"""The keys of ON CONFLICT: values as the service keeps and compares them, rows that have the same one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy_dynamics.errors import DatabaseError, ProgrammingError
from sqlalchemy_dynamics.execute.preparing import Given, Numbered
from sqlalchemy_dynamics.metadata.model import Table
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.planner import text_rule
from sqlalchemy_dynamics.planner.change_plan import Conflict
from sqlalchemy_dynamics.planner.values import key_value

__all__ = ["bare", "distinct", "folded", "have_keys", "key_of", "once", "resolved"]


def resolved(table: Table, conflict: Conflict, rows: Numbered) -> Numbered:
    """Return the rows, their keys' values as the service keeps them. Raises DataError naming column and row."""
    columns = {column for key in (conflict.columns, *conflict.others) for column in key}
    found = []
    for row, given in rows:
        try:
            keys = {each: key_value(table, each, value) for each, value in given.items() if each in columns}
        except DatabaseError as error:
            if len(rows) > 1 or row > 1:
                error.args = (f"row {row}: {error.args[0]}",)
            raise
        found.append((row, {**given, **keys}))
    return found


def bare(value: object) -> object:
    """Return the key of a lookup without its table."""
    return value[1] if isinstance(value, tuple) else value


def have_keys(conflict: Conflict, rows: Numbered) -> bool:
    """Say whether no row has NULL in the conflict's columns."""
    return all(None not in key_of(conflict, given) for _, given in rows)


def once(conflict: Conflict, rows: Numbered) -> Numbered:
    """Return the rows without those that DO NOTHING leaves out because an earlier one has their key."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for row, given in rows:
        key = key_of(conflict, given)
        if key in seen and None not in key and conflict.columns:
            if conflict.update:
                raise ProgrammingError(f"the statement names the key {key[0]} twice: a row is changed once only")
            continue
        seen.add(key)
        kept.append((row, given))
    return kept


def distinct(conflict: Conflict, rows: Numbered) -> Numbered:
    """Return the first rows up to the one whose key was there before."""
    seen: set[tuple[object, ...]] = set()
    for number, (_, given) in enumerate(rows):
        key = key_of(conflict, given)
        if key in seen and None not in key and conflict.columns:
            return rows[:number]
        seen.add(key)
    return rows


def key_of(conflict: Conflict, given: Given) -> tuple[object, ...]:
    """Return what a row is given for the conflict's columns, as the service compares it."""
    return folded(conflict, [bare(given.get(column)) for column in conflict.columns])


def folded(conflict: Conflict, values: Sequence[object]) -> tuple[object, ...]:
    """Return values as the service compares them."""
    return tuple(
        None if value is None else _compared(convert(value, column.edm))
        for column, value in zip(conflict.columns, values, strict=True)
    )


def _compared(value: object) -> object:
    return text_rule.key(value) if isinstance(value, str) else value
